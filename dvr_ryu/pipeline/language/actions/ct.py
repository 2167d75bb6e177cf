"""ct(...): track the packet's connection, and commit it."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.language.actions.base import Action, Argument, one_of, read_list, reads
from dvr_ryu.pipeline.language.actions.nat import Nat, read_nat
from dvr_ryu.pipeline.language.actions.set_field import Load, Move, SetField
from dvr_ryu.pipeline.language.actions.subfields import read_source, require_short_name
from dvr_ryu.pipeline.language.encoding import nicira
from dvr_ryu.pipeline.language.fields import Subfield
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.scope import Scope
from dvr_ryu.pipeline.language.suggestions import did_you_mean
from dvr_ryu.pipeline.language.tokens import KeyValue

_COMMIT, _FORCE = 1, 2
_NO_TABLE = 255
HELPERS = {"ftp": 21, "tftp": 69}
"""The helpers of protocols that open further connections → the well-known port."""

_HELPED = {"ftp": 6, "tftp": 17}
_KEYS = ["commit", "force", "table", "zone", "nat", "exec", "alg"]


@frozen
class Ct(Action):
    """Track the packet's connection in a zone, and send a copy of the packet on to `table` (None:
    to none). `commit`: remember the connection, with the nat and the writes of `exec`.
    """

    in_action_set = True

    commit: bool = False
    force: bool = False
    table: int | None = None
    zone: int | Subfield = 0
    nat: Nat | None = None
    exec: tuple[Action, ...] = ()
    alg: str = ""

    def __str__(self) -> str:
        tokens = ["commit"] * self.commit + ["force"] * self.force
        if self.table is not None:
            tokens.append(f"table={self.table}")
        if self.zone:
            tokens.append(f"zone={self.zone}")
        if self.nat:
            tokens.append(str(self.nat))
        if self.exec:
            tokens.append(f"exec({','.join(map(str, self.exec))})")
        if self.alg:
            tokens.append(f"alg={self.alg}")
        return f"ct({','.join(tokens)})"

    def build(self) -> list[Any]:
        """Return ct in bytes of our own: Ryu's NXActionCT does not pad the nat in it."""
        inner = (*([self.nat] if self.nat else []), *self.exec)
        return [
            nicira.ct(
                self.commit * _COMMIT | self.force * _FORCE,
                self.zone,
                _NO_TABLE if self.table is None else self.table,
                HELPERS.get(self.alg, 0),
                [built for each in inner for built in each.build()],
            )
        ]


@frozen
class CtClear(Action):
    """Clear the packet's connection tracking state."""

    in_action_set = True

    def __str__(self) -> str:
        return "ct_clear"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionCTClear."""
        return [parser.NXActionCTClear()]


@reads("ct_clear")
def read_ct_clear(scope: Scope, argument: Argument) -> CtClear:
    """ct_clear."""
    argument.absent("ct_clear")
    return CtClear()


@reads("ct")
def read_ct(scope: Scope, argument: Argument) -> Ct:
    """ct(KEY=VALUE,...)."""
    if not scope.packet.is_ip:
        raise LineError(argument.end, "ct is only for IP packets: match ip or ipv6 as well")
    settings: dict[str, Any] = {}
    for setting in argument.settings():
        if setting.key not in _KEYS:
            hint = did_you_mean(setting.key, _KEYS) or f"; it has {', '.join(_KEYS)}"
            raise LineError(setting.at, f"ct has no '{setting.key}'{hint}")
        if setting.key in settings:
            raise LineError(setting.at, f"{setting.key} is there already; write it once")
        settings[setting.key] = _read(scope, setting)
    if not settings.get("commit"):
        for key in settings.keys() & {"force", "exec", "alg"}:
            raise LineError(argument.end, f"{key} needs commit: ct(commit,…)")
        if settings.get("nat", Nat()) != Nat():
            raise LineError(argument.end, "a nat with addresses needs commit: ct(commit,nat(…))")
    return Ct(**settings)


def _read(scope: Scope, setting: KeyValue) -> Any:
    text, at = setting.value, setting.value_at
    if setting.key in ("commit", "force"):
        return True
    if setting.key == "table":
        return scope.table_number(text, at)
    if setting.key == "zone":
        return _zone(scope, text, at)
    if setting.key == "nat":
        return read_nat(scope, setting)
    if setting.key == "exec":
        return _exec(scope, text, at)
    alg = one_of(HELPERS, text, at, "helper")
    if scope.packet.protocol != _HELPED[alg]:
        protocol = "tcp" if alg == "ftp" else "udp"
        raise LineError(at, f"{alg} runs over {protocol}: match {protocol} as well")
    return alg


def _zone(scope: Scope, text: str, at: int) -> int | Subfield:
    if text[:1].isdigit():
        return scope.plain(text, 16, at)
    bits = read_source(scope, text, at)
    require_short_name(bits.field, at)
    if bits.width != 16:
        raise LineError(at, f"a zone has 16 bits, {bits} has {bits.width}")
    return bits


def _exec(scope: Scope, text: str, at: int) -> tuple[Action, ...]:
    scope.packet.committing = True
    actions = read_list(scope, text, at)
    scope.packet.committing = False
    for action, start in actions:
        if not isinstance(action, SetField | Load | Move):
            raise LineError(start, "exec(…) writes only ct_mark and ct_label")
    return tuple(action for action, _ in actions)
