"""Note the settings of adopted bridges, which were here before us, and restore them. Rows only.

One transaction of OVSDB makes the note and its change: both are there, or neither is.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dvr_ryu.companion.providers.ovsdb.rows import BRIDGE_COLUMNS, Columns
from dvr_ryu.companion.resources.openvswitch.vsctl import BEFORE, OWNER


def taken(row: Columns, host: str, settings: Mapping[str, str]) -> dict[str, str]:
    """A foreign bridge's external_ids once we use it; `settings` are those that it has."""
    return {**row["external_ids"], OWNER: host, BEFORE: json.dumps(dict(settings))}


def before(row: Columns) -> Mapping[str, str] | None:
    """The settings that a bridge had before us; None for one that we made. An unreadable note has
    no known settings, but shows that the bridge is not ours.
    """
    note = row["external_ids"].get(BEFORE)
    return None if note is None else _settings(note)


def _settings(note: str) -> Mapping[str, str]:
    with suppress(ValueError, RecursionError):
        found = json.loads(note)
        if isinstance(found, dict) and all(map(_is_setting, found, found.values())):
            return found
    return {}


def _is_setting(name: str, value: object) -> bool:
    column, colon, _ = name.partition(":")
    of_maps = column == "other_config" if colon else column in BRIDGE_COLUMNS
    return of_maps and isinstance(value, str)


def returned(row: Columns, columns: Columns, config: tuple[str, ...]) -> dict[str, Any]:
    """The columns of a bridge that we release. `columns` are its earlier ones; of other_config we
    have set only the keys in `config`.
    """
    marks = {k: v for k, v in row["external_ids"].items() if k not in (OWNER, BEFORE)}
    foreign_config = {key: value for key, value in row["other_config"].items() if key not in config}
    foreign_config |= columns.get("other_config", {})
    return {**columns, "external_ids": marks, "other_config": foreign_config}
