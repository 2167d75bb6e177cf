"""A copy of our part of Open vSwitch's database, which ovs.db.idl keeps current.

It lives as long as one connection. Only one thread may use it at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from dvr_ryu.companion.providers.ovsdb.library import Deadline, idl
from dvr_ryu.companion.providers.ovsdb.schema import SWITCH, WATCHED, schema_helper
from dvr_ryu.errors import HostError

LOST = "OVSDB ended the connection"


class Row(dict[str, Any]):
    """A row's columns, as they are in the database: a set is a list, and a reference is the other
    row's UUID.

    A column is converted when it is first asked for.
    """

    def __init__(self, row: Any) -> None:
        super().__init__()
        self.uuid: UUID = row.uuid
        # The row's attributes would also build the rows that it refers to, and show a transaction's
        # uncommitted changes.
        self._committed = row._data

    def whole(self) -> dict[str, Any]:
        """All columns that are replicated."""
        return {column: self[column] for column in self._committed}

    def __missing__(self, column: str) -> Any:
        value = self[column] = self._committed[column].to_python(_uuid)
        return value


def _uuid(value: Any, _: object) -> Any:
    return value


Rows: TypeAlias = "Mapping[UUID, Row]"


class Replica(idl.Idl):
    """The tables of `WATCHED`, with the rows that the server has sent."""

    def __init__(self, path: str, on_change: Callable[[], object], deadline: Deadline) -> None:
        """Connect, and load all. Raise OSError if the server does not answer, HostError if its
        schema lacks a column.

        `on_change` is called whenever a row comes or goes, or one of its watched columns changes.
        """
        super().__init__(f"unix:{path}", schema_helper(path, deadline))
        # The library would wait for a second before it reconnects, and longer each time.
        self._session.reconnect.set_max_tries(0)
        self._on_change = on_change
        self._rows: dict[str, dict[UUID, Row]] = {table: {} for table in self.tables}
        self._loaded = False
        try:
            self.run_until(lambda: self.state == self.IDL_S_MONITORING, deadline)
        except BaseException:
            self.close()
            raise
        self._loaded = True

    @property
    def switch(self) -> Any:
        """The library's row for Open vSwitch as a whole. Raise HostError if there is none yet."""
        for row in self.tables[SWITCH].rows.values():
            return row
        raise HostError(
            "Open vSwitch has not set up its database yet; start it: "
            "systemctl start openvswitch-switch"
        )

    def rows(self, table: str) -> Rows:
        """The rows of a table, as they are in the database."""
        return self._rows[table]

    def run_until(self, done: Callable[[], bool], deadline: Deadline) -> None:
        """Read messages until `done` returns True. Raise TimeoutError if that takes too long,
        ConnectionError if the connection is lost.
        """
        self.take_messages()
        while not done():
            deadline.wait(self.wait)
            self.take_messages()

    def take_messages(self) -> None:
        """Read the messages that are there. Raise ConnectionError if the connection is lost, or
        the server has converted its database to another schema.
        """
        while self.run():
            pass
        if not self._session.is_alive() or (self._loaded and self.state != self.IDL_S_MONITORING):
            raise ConnectionResetError(LOST)

    def notify(self, event: str, row: Any, updates: Any = None) -> None:
        """Store the row as it is now, and report a change. The library calls this for each."""
        table = row._table.name
        if event == idl.ROW_DELETE:
            self._rows[table].pop(row.uuid, None)
        else:
            self._rows[table][row.uuid] = Row(row)
        # Of an updated row, `updates` has the columns that changed, as they were.
        if event != idl.ROW_UPDATE or any(each in updates._data for each in WATCHED[table]):
            self._on_change()
