"""Open vSwitch's settings for TLS in words of ovs-vsctl, one transaction. Pure text."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from dvr_ryu.companion.providers.ovsdb.adopted import BEFORE, OWNER
from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls


def make(resource: SwitchTls, old: SwitchTls | None, host: str) -> Iterator[str]:
    """Set them, with a note of those that were here before us."""
    marks = {OWNER: host}
    if old is not None and old.before is not None:
        marks[BEFORE] = json.dumps(dict(old.before))
    yield _replaced_by({**resource.settings, "external_ids": marks})


def unmake(resource: SwitchTls) -> Iterator[str]:
    """Give back those that were here before us, or have none."""
    yield "ovs-vsctl del-ssl" if resource.before is None else _replaced_by(resource.before)


def _replaced_by(row: Mapping[str, Any]) -> str:
    columns = " ".join(f"{name}={shlex.quote(_value(value))}" for name, value in row.items())
    return f"ovs-vsctl -- --id=@tls create SSL {columns} -- set Open_vSwitch . ssl=@tls"


def _value(value: Any) -> str:
    """A column's value as ovs-vsctl reads it; what is in double quotes is text, whatever it is."""
    if isinstance(value, Mapping):
        pairs = (f"{json.dumps(key)}={json.dumps(each)}" for key, each in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(json.dumps, value)) + "]"
    return str(value) if value in ("true", "false") else json.dumps(value)
