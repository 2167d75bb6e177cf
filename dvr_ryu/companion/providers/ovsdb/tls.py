"""Open vSwitch's settings for TLS in OVSDB, of which it has one row or none.

Those that were here before us are noted in ours, in the transaction that replaces them, and given
back when ours goes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from dvr_ryu.companion.foreign import Stranger
from dvr_ryu.companion.providers.ovsdb.adopted import BEFORE, OWNER
from dvr_ryu.companion.providers.ovsdb.bridges import SWITCH, Ovsdb
from dvr_ryu.companion.providers.ovsdb.rows import TLS_COLUMNS, columns_of
from dvr_ryu.companion.providers.ovsdb.rpc import Named, Operation, Row, insert, select, update
from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls

_TABLE = "SSL"
_ROW = "tls"
_OWN_TO_A_ROW = ("_uuid", "_version")
"""Columns that no other row can have."""


class TlsTable:
    """The settings of the Open vSwitch behind a connection to its database."""

    def __init__(self, ovsdb: Ovsdb) -> None:
        self._ovsdb = ovsdb

    def read(self, wanted: bool) -> tuple[list[SwitchTls], list[Stranger]]:
        """Return our settings, if there are any, and what they stand in place of.

        If settings are `wanted`, those of others are returned, too: they are to be replaced.
        """
        row = self._row()
        if row is None or not (wanted or self._is_ours(row)):
            return [], []
        before = self._before(row)
        settings = {name: _word(row[name]) for name in TLS_COLUMNS}
        strangers = [] if before is None else [Stranger("", "tls", before["private_key"])]
        return [SwitchTls(settings, before)], strangers

    def make(self, resources: Sequence[SwitchTls]) -> None:
        """Make the settings what they should be."""
        (resource,) = resources
        present = self._row()
        ids = {OWNER: self._ovsdb.host}
        if present is not None and (before := self._before(present)) is not None:
            ids[BEFORE] = json.dumps(before)
        row = {**columns_of(resource.settings), "external_ids": ids}
        self._ovsdb.change(_replaced_by(row))

    def unmake(self, _: Sequence[SwitchTls]) -> None:
        """Give back the settings that were here before us, or none."""
        present = self._row()
        if present is not None and self._is_ours(present):
            self._ovsdb.change(_replaced_by(self._before(present)))

    def refusal(self) -> str | None:
        """The last error of our controllers; None if one of them is connected, or there is none."""
        columns = ["is_connected", "status", "external_ids"]
        (rows,) = self._ovsdb.transact(select("Controller", columns))
        ours = [row for row in rows if self._is_ours(row)]
        if not ours or any(row["is_connected"] for row in ours):
            return None
        return next(
            (row["status"]["last_error"] for row in ours if "last_error" in row["status"]),
            "no answer",
        )

    def _row(self) -> Row | None:
        switches, rows = self._ovsdb.transact(select(SWITCH, ["ssl"]), select(_TABLE))
        return next((row for row in rows if row["_uuid"] == switches[0]["ssl"]), None)

    def _is_ours(self, row: Row) -> bool:
        return bool(row["external_ids"].get(OWNER) == self._ovsdb.host)

    def _before(self, row: Row) -> Row | None:
        """What was here before us; None if nothing was."""
        if self._is_ours(row):
            return _noted(row["external_ids"].get(BEFORE))
        return {name: value for name, value in row.items() if name not in _OWN_TO_A_ROW}


def _noted(note: str | None) -> Row | None:
    """The row that a note keeps; None without one, or if nobody can read it."""
    with suppress(ValueError, RecursionError):
        found = json.loads(note or "null")
        if isinstance(found, dict) and isinstance(found.get("private_key"), str):
            return found
    return None


def _replaced_by(row: Row | None) -> Iterator[Operation]:
    """Put a row in place of what is there; OVSDB removes what nothing refers to."""
    if row is not None:
        yield insert(_TABLE, _ROW, row)
    yield update(SWITCH, {"ssl": [] if row is None else [Named(_ROW)]})


def _word(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
