"""Read, write and restore Open vSwitch's settings for TLS in OVSDB, which has one row of them or
none.

The transaction that replaces settings from before us notes them in ours; they return when ours go.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from dvr_ryu.companion.foreign import ForeignItem
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.providers.ovsdb.replica import Replica, Row
from dvr_ryu.companion.providers.ovsdb.rows import TLS_COLUMNS, columns_of
from dvr_ryu.companion.providers.ovsdb.schema import SWITCH
from dvr_ryu.companion.providers.ovsdb.transaction import Transaction
from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls
from dvr_ryu.companion.resources.openvswitch.vsctl import BEFORE, OWNER

_TABLE = "SSL"


class TlsTable:
    """The settings of this machine's Open vSwitch, on behalf of one host of a topology."""

    def __init__(self, host: str, database: Database) -> None:
        self._host = host
        self._database = database

    def read(self, wanted: bool) -> tuple[list[SwitchTls], list[ForeignItem]]:
        """Return our settings, if there are any, and the foreign ones that they replace.

        If settings are `wanted`, it returns foreign ones, too: they are to be replaced.
        """
        with self._database.current() as replica:
            row = _present(replica)
            if row is None or not (wanted or self._is_ours(row)):
                return [], []
            before = self._before(row)
            settings = {name: _word(row[name]) for name in TLS_COLUMNS}
        foreign = [] if before is None else [ForeignItem("", "tls", before["private_key"])]
        return [SwitchTls(settings, before)], foreign

    def make(self, resources: Sequence[SwitchTls]) -> None:
        """Write the desired settings."""
        (resource,) = resources
        ids = {OWNER: self._host}
        with self._database.transaction() as transaction:
            present = _present(transaction.replica)
            if present is not None and (before := self._before(present)) is not None:
                ids[BEFORE] = json.dumps(before)
            _replace({**columns_of(resource.settings), "external_ids": ids}, transaction)

    def remove(self, _: Sequence[SwitchTls]) -> None:
        """Restore the settings from before us, or none."""
        with self._database.current() as replica:
            present = _present(replica)
            if present is not None and self._is_ours(present):
                before = self._before(present)
                with self._database.transaction() as transaction:
                    _replace(before, transaction)

    def refusal(self) -> str | None:
        """The last error of our controllers; None if one of them is connected, or there is none."""
        with self._database.current() as replica:
            ours = [row for row in replica.rows("Controller").values() if self._is_ours(row)]
            if not ours or any(row["is_connected"] for row in ours):
                return None
            return next(
                (row["status"]["last_error"] for row in ours if "last_error" in row["status"]),
                "no answer",
            )

    def _is_ours(self, row: Row) -> bool:
        return bool(row["external_ids"].get(OWNER) == self._host)

    def _before(self, row: Row) -> dict[str, Any] | None:
        """The settings from before us; None if there were none."""
        return _noted(row["external_ids"].get(BEFORE)) if self._is_ours(row) else row.whole()


def _noted(note: str | None) -> dict[str, Any] | None:
    """The row that a note records; None without a note, or if it is unreadable."""
    with suppress(ValueError, RecursionError):
        found = json.loads(note or "null")
        if isinstance(found, dict) and isinstance(found.get("private_key"), str):
            return found
    return None


def _present(replica: Replica) -> Row | None:
    """The settings' row: the only one of its table, or none."""
    uuids = [row.uuid for row in replica.switch.ssl]
    return replica.rows(_TABLE)[uuids[0]] if uuids else None


def _replace(columns: Mapping[str, Any] | None, transaction: Transaction) -> None:
    """Replace the present row; OVSDB removes an unreferenced row."""
    rows = [] if columns is None else [transaction.insert(_TABLE, columns)]
    transaction.update(SWITCH, transaction.replica.switch.uuid, {"ssl": rows})


def _word(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
