"""What packets a flow is for: its fields, read from the words before actions=, printed again, and
handed to Ryu.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from attrs import frozen

from dvr_ryu.pipeline import numbers
from dvr_ryu.pipeline.fields import FIELDS, SHORTHANDS, Field, find
from dvr_ryu.pipeline.operands import Operand, number, written
from dvr_ryu.pipeline.phrases import split
from dvr_ryu.pipeline.scope import Scope, unknown_field
from dvr_ryu.pipeline.source import Wrong


@frozen
class FieldMatch:
    """A field must have this value, in the bits of `mask` (None: all of them)."""

    field: Field
    value: Operand
    mask: int | None = None

    def __str__(self) -> str:
        text = f"{self.field.name}={written(self.field.form, self.value)}"
        return text if self.mask is None else f"{text}/{self.field.form.write(self.mask)}"

    def user_value(self) -> Any:
        """The value as Ryu's OFPMatch takes it: one, or a pair with the mask."""
        value = self.field.to_ryu(number(self.value) | self.field.present)
        return value if self.mask is None else (value, self.field.to_ryu(self.mask))


def read_match(scope: Scope, text: str, at: int) -> tuple[int | None, list[FieldMatch]]:
    """The part before actions=: the priority, None where it is not named, and the fields."""
    priority: int | None = None
    matches: dict[FieldMatch, int] = {}
    for word, start in split(text, at, separators=", \t"):
        name, equals, value = word.partition("=")
        if name in SHORTHANDS:
            if equals:
                raise Wrong(start + len(name), f"{name} stands alone: it takes no value")
            for field, value_ in SHORTHANDS[name]:
                _add(matches, FieldMatch(FIELDS[field], value_), start)
            continue
        if not value and (name in ("priority", "table") or find(name)):
            raise Wrong(start + len(name), f"{name} needs a value: {name}={_example(name)}")
        if name == "priority":
            if priority is not None:
                raise Wrong(start, "the priority is given twice")
            priority = scope.plain(value, 16, start + 9)
        elif name == "table":
            _same_table(scope, value, start + 6)
        else:
            _add(matches, _field_match(scope, name, value, start), start)
    _require_all(matches)
    # What is matched in none of its bits is not matched; a switch leaves it out as well.
    return priority, [each for each in matches if each.mask != 0]


def _same_table(scope: Scope, text: str, at: int) -> None:
    if scope.table_number(text, at) != scope.table:
        raise Wrong(at, f"this line stands in table {scope.table}; leave 'table=' out, or move it")


def _field_match(scope: Scope, name: str, text: str, at: int) -> FieldMatch:
    field = find(name)
    if field is None:
        raise unknown_field(name, at, *SHORTHANDS, "priority")
    start = at + len(name) + 1
    value, slash, mask = text.partition("/")
    operand = scope.operand(field.form, field.kind, field.bits, value, start)
    if not slash:
        return FieldMatch(field, operand)
    return _masked(scope, field, operand, mask, start + len(value) + 1)


def _masked(scope: Scope, field: Field, operand: Operand, text: str, at: int) -> FieldMatch:
    if not field.maskable:
        raise Wrong(at - 1, f"{field.name} takes no mask: it matches whole or not at all")
    mask = _mask_number(scope, field, text, at)
    if mask == field.limit - 1:
        return FieldMatch(field, operand)
    if not isinstance(operand, int):
        raise Wrong(at - 1, f"{operand} takes no mask: it is matched whole")
    if operand & ~mask:
        raise Wrong(at, "the value has bits outside the mask: it could never match")
    return FieldMatch(field, operand, mask)


def _mask_number(scope: Scope, field: Field, text: str, at: int) -> int:
    if field.form is numbers.IPV4 and re.fullmatch("[0-9]{1,3}", text):
        if int(text) > 32:
            raise Wrong(at, "a prefix has 0 to 32 bits")
        return 0xFFFFFFFF & ~(0xFFFFFFFF >> int(text))
    if text.startswith("{"):
        raise Wrong(at, "a mask is a plain number")
    return number(scope.operand(field.form, None, field.bits, text, at))


def _example(name: str) -> str:
    field = find(name)
    return field.form.example if field else "1"


def _add(matches: dict[FieldMatch, int], match: FieldMatch, at: int) -> None:
    """Add a match that stands at `at`, unless it is there already."""
    for each in matches:
        # Fields with one Nicira name are the same bits of a packet: dl_vlan, vlan_vid, vlan_tci.
        if each.field.nxm == match.field.nxm and each != match:
            if each.field is match.field:
                raise Wrong(at, f"{match.field.name} is matched twice, with different values")
            raise Wrong(at, f"{match.field.name} is matched as {each.field.name} already")
    matches.setdefault(match, at)


def _require_all(matches: Mapping[FieldMatch, int]) -> None:
    present = {(each.field.name, each.value) for each in matches if each.mask is None}
    for each, at in matches.items():
        wanted = each.field.requires
        if wanted and not any(set(alternative) <= present for alternative in wanted):
            words = " or ".join(_shorthand(alternative) for alternative in wanted)
            raise Wrong(at, f"{each.field.name} is only in some packets: match {words} as well")


def _shorthand(pairs: tuple[tuple[str, int], ...]) -> str:
    exact = [word for word, fields_ in SHORTHANDS.items() if set(fields_) == set(pairs)]
    return exact[0] if exact else ",".join(f"{name}={value:#x}" for name, value in pairs)
