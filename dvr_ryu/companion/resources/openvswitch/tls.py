"""Open vSwitch's settings for TLS. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from attrs import field, frozen

from dvr_ryu.companion.resources.openvswitch.vsctl import BEFORE, OWNER, text
from dvr_ryu.companion.resources.resource import Key, Resource

TLS_KEY: Key = ("tls", "SSL")
"""The key of Open vSwitch's settings for TLS: there is one for all of its connections."""


@frozen
class SwitchTls(Resource):
    """Open vSwitch's key and certificate, and the authority that it trusts, for all of its
    connections. Settings are as ovs-vsctl has them: column → value.
    """

    kind = str(TLS_KEY[0])
    identity = ("table",)
    table: ClassVar[str] = str(TLS_KEY[1])
    settings: Mapping[str, str] = field(eq=dict)
    before: Mapping[str, Any] | None = field(default=None, eq=False, repr=False)
    """The whole row from before us; None if there was none."""

    @property
    def programs(self) -> tuple[str, ...]:
        """The program that checks keys and certificates."""
        return ("openssl",)

    def describe(self) -> str:
        """Set them."""
        files = (self.settings[name] for name in ("private_key", "certificate", "ca_cert"))
        return f"ovs-vsctl set-ssl {shlex.join(files)}"

    def make_lines(self, old: SwitchTls | None, host: str) -> Iterator[str]:
        """Set them, with a note of those from before us."""
        marks = {OWNER: host}
        if old is not None and old.before is not None:
            marks[BEFORE] = json.dumps(dict(old.before))
        yield _replaced_by({**self.settings, "external_ids": marks})

    def remove_lines(self, host: str) -> Iterator[str]:
        """Restore those from before us, or remove all."""
        yield "ovs-vsctl del-ssl" if self.before is None else _replaced_by(self.before)


def _replaced_by(row: Mapping[str, Any]) -> str:
    columns = " ".join(f"{name}={shlex.quote(_value(value))}" for name, value in row.items())
    return f"ovs-vsctl -- --id=@tls create SSL {columns} -- set Open_vSwitch . ssl=@tls"


def _value(value: Any) -> str:
    """A column's value as ovs-vsctl reads it."""
    if isinstance(value, Mapping):
        pairs = (f"{text(key)}={text(each)}" for key, each in value.items())
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(text, value)) + "]"
    return str(value) if value in ("true", "false") else json.dumps(value)
