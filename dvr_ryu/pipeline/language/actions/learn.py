"""learn(...): an action that makes flows from the packets that it gets."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.actions.base import Action, Argument, reads
from dvr_ryu.pipeline.language.actions.subfields import (
    read_source,
    require_learnable,
    require_not_read_only,
    require_present,
    require_same_width,
    require_short_name,
)
from dvr_ryu.pipeline.language.encoding import nicira
from dvr_ryu.pipeline.language.fields import OXM_NAMES, Subfield, find
from dvr_ryu.pipeline.language.flags import Flags, Fragments
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import Operand, number, written
from dvr_ryu.pipeline.language.packet import Packet
from dvr_ryu.pipeline.language.scope import Scope
from dvr_ryu.pipeline.language.tokens import KeyValue

_SETTINGS = {
    "table": 8,
    "idle_timeout": 16,
    "hard_timeout": 16,
    "fin_idle_timeout": 16,
    "fin_hard_timeout": 16,
    "priority": 16,
    "cookie": 64,
    "limit": 32,
}
"""Settings of the learned flow → their bits. `limit` is the number of flows with its cookie that
its table may have."""

_FLAGS = {"send_flow_rem": 1, "delete_learned": 2}
_WRITE_RESULT = 4
"""NX_LEARN_F_*."""

_PRIORITY = 0x8000
_PRINTED = {**dict.fromkeys([*_SETTINGS, *_FLAGS], 0), "priority": _PRIORITY}
_PRINTED["cookie"], _PRINTED["limit"] = _PRINTED.pop("cookie"), _PRINTED.pop("limit")
"""The settings' defaults, in the order in which ovs-ofctl prints them."""

_DEFAULT_TABLE = "1"


@frozen
class LearnMatch:
    """The learned flow matches `target` against a number, or against this packet's `source`."""

    target: Subfield
    source: Subfield | Operand

    def __str__(self) -> str:
        if self.source == self.target:
            return str(self.target)
        if isinstance(self.source, Subfield):
            return f"{self.target}={self.source}"
        field = self.target.field
        if self.target.width < self.target.whole:
            return f"{self.target}={written(numbers.HEX, self.source)}"
        if field.bit_names and isinstance(self.source, int):
            return f"{field.name}={field.bit_names.write(self.source, field.all_bits)}"
        return f"{OXM_NAMES.get(field.name, field.name)}={written(field.notation, self.source)}"

    def build(self) -> bytes:
        """Return it in bytes."""
        return _spec(_MATCH, self.source, self.target)


@frozen
class LearnLoad:
    """The learned flow writes a number, or this packet's `source`, into `target`."""

    source: Subfield | Operand
    target: Subfield

    def __str__(self) -> str:
        source = self.source
        text = str(source) if isinstance(source, Subfield) else written(numbers.HEX, source)
        return f"load:{text}->{self.target}"

    def build(self) -> bytes:
        """Return it in bytes."""
        return _spec(_LOAD, self.source, self.target)


@frozen
class LearnOutput:
    """The learned flow sends packets to the port in this packet's `source`."""

    source: Subfield

    def __str__(self) -> str:
        return f"output:{self.source}"

    def build(self) -> bytes:
        """Return it in bytes."""
        return nicira.learn_spec(_OUTPUT, self.source, None, self.source.width)


_MATCH, _LOAD, _OUTPUT = 0, 1, 2
"""NX_LEARN_DST_*: the kinds of parts."""


def _spec(kind: int, source: Subfield | Operand, target: Subfield) -> bytes:
    """A port's number is cut to the bits of Nicira's in_port."""
    if not isinstance(source, Subfield):
        source = number(source) & ((1 << target.width) - 1)
    return nicira.learn_spec(kind, source, target, target.width)


LearnPart = LearnMatch | LearnLoad | LearnOutput


@frozen
class Learn(Action):
    """Make a flow from this packet. `settings` are its table, priority, timeouts, cookie and flags,
    and the limit; defaults are left out. `result` is the bit that becomes 1 if the flow exists
    then, and 0 if the limit prevents it.
    """

    settings: tuple[tuple[str, int], ...]
    parts: tuple[LearnPart, ...]
    result: Subfield | None = None

    @property
    def all_settings(self) -> dict[str, int]:
        """The settings, with the defaults of those that are left out."""
        return _PRINTED | dict(self.settings)

    @property
    def cookie(self) -> int:
        """The cookie of the learned flows."""
        return self.all_settings["cookie"]

    @property
    def learned_table(self) -> int:
        """The table of the learned flows."""
        return self.all_settings["table"]

    def __str__(self) -> str:
        tokens = [_setting_text(name, value) for name, value in self.settings]
        tokens += [f"result_dst={self.result}"] if self.result else []
        return f"learn({','.join([*tokens, *map(str, self.parts)])})"

    def build(self) -> list[Any]:
        """Return Nicira's learn."""
        settings = self.all_settings
        settings["flags"] = sum(settings[flag] for flag in _FLAGS)
        settings["flags"] |= _WRITE_RESULT if self.result else 0
        specs = b"".join(part.build() for part in self.parts)
        return [nicira.learn(settings, specs, self.result)]


def _setting_text(name: str, value: int) -> str:
    if name in _FLAGS:
        return name
    return f"{name}={value:#x}" if name == "cookie" else f"{name}={value}"


@reads("learn")
def read_learn(scope: Scope, argument: Argument) -> Learn:
    """learn(SETTING=…,PART,…): the settings of the flow, and its match and actions."""
    settings: dict[str, int] = {}
    parts: list[LearnPart] = []
    result: Subfield | None = None
    learned = Packet()
    for each in argument.settings():
        if each.key in _FLAGS and not each.value:
            settings[each.key] = _FLAGS[each.key]
        elif each.key in _SETTINGS:
            settings[each.key] = _read_setting(scope, each)
        elif each.key == "result_dst":
            result = _read_result(scope, each)
        else:
            parts.append(_read_part(scope, learned, each))
    if "table" not in settings:
        settings["table"] = scope.table_number(_DEFAULT_TABLE, argument.end)
    named = tuple(
        (name, settings[name])
        for name, default in _PRINTED.items()
        if name == "table" or settings.get(name, default) != default
    )
    return Learn(named, tuple(parts), result)


def _read_setting(scope: Scope, setting: KeyValue) -> int:
    if setting.key == "table":
        return scope.table_number(setting.value, setting.value_at)
    return scope.plain(setting.value, _SETTINGS[setting.key], setting.value_at)


def _read_result(scope: Scope, setting: KeyValue) -> Subfield:
    bit = scope.subfield(setting.value, setting.value_at)
    require_not_read_only(bit.field, setting.value_at)
    if bit.width != 1:
        raise LineError(setting.value_at, f"the result is one bit, {bit} has {bit.width}: reg0[0]")
    return bit


def _read_part(scope: Scope, learned: Packet, part: KeyValue) -> LearnPart:
    at = part.value_at
    if part.key == "output":
        source = read_source(scope, part.value, at)
        require_short_name(source.field, at)
        return LearnOutput(source)
    if part.key == "load":
        argument = Argument(part.value, at, at - 1)
        left, right = argument.arrow("VALUE->FIELD", "load:0->NXM_OF_VLAN_TCI[]")
        target = scope.subfield(right.text, right.at)
        require_learnable(learned, target.field, right.at)
        return LearnLoad(_read_source(scope, left.text, target, left.at, numbers.HEX), target)
    target = scope.subfield(part.key, part.at, *_PRINTED, "result_dst", "output", "load")
    require_short_name(target.field, part.at)
    if not part.value:
        require_present(scope.packet, target.field, part.at)
        match = LearnMatch(target, target)
    else:
        notation = target.field.notation if target.width == target.whole else numbers.HEX
        match = LearnMatch(target, _read_source(scope, part.value, target, at, notation))
    require_present(learned, target.field, part.at)
    if isinstance(match.source, int) and target.width == target.whole:
        learned.known[target.field.name] = match.source
    learned.tagged |= target.field.name in ("vlan_vid", "vlan_tci")
    return match


def _read_source(
    scope: Scope, text: str, target: Subfield, at: int, notation: numbers.Notation
) -> Subfield | Operand:
    """A number in the notation, a hole, a port, names of bits, or bits of this packet."""
    field, whole = target.field, target.width == target.whole
    if find(text.partition("[")[0]):
        source = read_source(scope, text, at)
        require_same_width(source, target, at)
        return source
    if (
        field.bit_names
        and whole
        and not (isinstance(field.bit_names, Flags) and text[:1].isdigit())
    ):
        return _read_bit_names(field.bit_names, text, at)
    bits = field.bits if notation is numbers.PORT else target.width
    return scope.value(notation, field.kind if whole else None, bits, text, at)


def _read_bit_names(bit_names: Flags | Fragments, text: str, at: int) -> int:
    try:
        value, mask = bit_names.read(text)
    except ValueError as error:
        raise LineError(at, str(error)) from None
    if mask != bit_names.all:
        raise LineError(at, "a learned flow matches whole fields: write such as syn|ack")
    return value
