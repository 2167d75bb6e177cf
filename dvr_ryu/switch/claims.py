"""Assign each bridge's name to one connection.

A second claim is refused as long as the first connection answers. So a bridge can connect again
although its last connection, which is dead, has not been closed yet.
"""

from __future__ import annotations

from collections.abc import Hashable

from dvr_ryu.errors import SwitchError
from dvr_ryu.switch.connection import Connection


class Claims:
    """Name of a bridge → its connection."""

    def __init__(self) -> None:
        self._holders: dict[Hashable, Connection] = {}

    def take(self, name: Hashable, connection: Connection) -> None:
        """Give a connection this name; no other has it. This takes some seconds if a dead
        connection has the name. Raise SwitchError if another connection has it and lives.
        """
        while (holder := self._holders.get(name)) not in (None, connection):
            assert holder is not None
            if holder.answers():
                raise SwitchError(
                    f"says that it is {name}, as {holder.peer} does, which answers: refused"
                )
            holder.end(f"does not answer, and {connection.peer} says that it is {name}: closed")
            if self._holders.get(name) is holder:
                del self._holders[name]
        self._holders[name] = connection

    def drop(self, name: Hashable, connection: Connection) -> None:
        """Take this name from the connection, if the connection has it."""
        if self._holders.get(name) is connection:
            del self._holders[name]
