"""Which connection is which bridge: one each.

A second claim is refused as long as the first connection answers; a bridge that connects again,
because its host or the way to it was gone, is not kept out by what is left of its last connection.
"""

from __future__ import annotations

from collections.abc import Hashable

from dvr_ryu.errors import SwitchError
from dvr_ryu.switch.connection import Connection


class Claims:
    """Names of bridges → the connections that are them."""

    def __init__(self) -> None:
        self._holders: dict[Hashable, Connection] = {}

    def take(self, name: Hashable, connection: Connection) -> None:
        """Let a connection have this name, from now on and alone. Takes some seconds if another one
        has it that is dead. Raises SwitchError if that lives.
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
        """The connection has this name no more, if it had."""
        if self._holders.get(name) is connection:
            del self._holders[name]
