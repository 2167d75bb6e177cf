"""One transaction of OVSDB: inserted rows, changed columns, and ovs-vswitchd's number for it.

It refuses a value that the schema forbids, as the server does; the library alone would silently
omit the value from the transaction.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias
from uuid import UUID

from dvr_ryu.companion.providers.ovsdb.library import Deadline, data, error, idl
from dvr_ryu.companion.providers.ovsdb.replica import LOST, Replica
from dvr_ryu.errors import HostError

Reference: TypeAlias = Any
"""A row in a column of another: its UUID, or what `Transaction.insert` returned."""


class Transaction:
    """Changes that the server makes all or not at all. It ends with `commit`, `read` or `abort`."""

    def __init__(self, replica: Replica) -> None:
        """Raise HostError if Open vSwitch has not set up its database."""
        self.replica = replica
        self._switch = replica.switch
        self._transaction = idl.Transaction(replica)

    def insert(self, table: str, columns: Mapping[str, Any]) -> Reference:
        """Add a row; OVSDB would remove an unreferenced row at once."""
        row = self._transaction.insert(self.replica.tables[table])
        self._set(row, columns)
        return row

    def update(self, table: str, uuid: UUID, columns: Mapping[str, Any]) -> None:
        """Change columns of a row."""
        self._set(self.replica.tables[table].rows[uuid], columns)

    def add(self, table: str, uuid: UUID, column: str, references: Iterable[Reference]) -> None:
        """Add references to a column; references that other clients add meanwhile stay."""
        row = self.replica.tables[table].rows[uuid]
        for reference in references:
            row.addvalue(column, reference)

    def remove(self, table: str, uuid: UUID, column: str, references: Iterable[Reference]) -> None:
        """Remove references from a column. OVSDB removes a row that nothing refers to any more."""
        row = self.replica.tables[table].rows[uuid]
        for reference in references:
            row.delvalue(column, reference)

    def commit(self, deadline: Deadline) -> int:
        """Make the changes; return the cur_cfg that ovs-vswitchd sets once it has applied them.

        Raise HostError if the server refuses, OSError if it does not answer.
        """
        self._switch.increment("next_cfg")
        self._send(deadline)
        number: int = self._transaction.get_increment_new_value()
        return number

    def read(self, deadline: Deadline) -> None:
        """Change nothing. When this returns, the replica is up to date with the server."""
        self._send(deadline)

    def abort(self) -> None:
        """Change nothing, and send nothing to the server."""
        self._transaction.abort()

    def _send(self, deadline: Deadline) -> None:
        # The library does not send a transaction that changes no column. It sends one that reads a
        # column.
        self._switch.fetch("ovs_version")
        if self._transaction.commit() == idl.Transaction.INCOMPLETE:
            self.replica.run_until(
                lambda: self._transaction.commit() != idl.Transaction.INCOMPLETE, deadline
            )
        status = self._transaction.commit()
        if status == idl.Transaction.ERROR:
            answer = json.loads(self._transaction.get_error())
            raise refused(": ".join(answer[key] for key in ("error", "details") if key in answer))
        if status != idl.Transaction.SUCCESS:
            raise ConnectionResetError(LOST)

    def _set(self, row: Any, columns: Mapping[str, Any]) -> None:
        present = self.replica.tables[row._table.name].columns
        for name, value in columns.items():
            if name not in present:
                raise refused(f"unknown column {name} of table {row._table.name}")
            setattr(row, name, value)
            if name not in row._changes:
                raise refused(_objection(present[name].type, value))


def refused(reason: str) -> HostError:
    """The error for a transaction that OVSDB refuses."""
    return HostError(f"OVSDB did not take a change: {reason}")


def _objection(type: Any, value: Any) -> str:
    """The library's objection to a value of a column."""
    try:
        data.Datum.from_python(type, value, _uuid_of)
    except error.Error as objection:
        return str(objection)
    return "the library does not say why"


def _uuid_of(value: Any) -> Any:
    return value.uuid if isinstance(value, idl.Row) else value
