"""Parses the part of a flow line before actions=: the match, the priority and other settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from attrs import frozen

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.field_match import (
    FieldMatch,
    connection_known,
    no_vlan,
    normal,
    tagged,
)
from dvr_ryu.pipeline.language.fields import (
    ARP,
    FIELDS,
    IP,
    IP6,
    RARP,
    SHORTHANDS,
    TRANSPORTS,
    Field,
    find,
    why_not,
)
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import Hole, MaskOf, Operand, number
from dvr_ryu.pipeline.language.packet import Packet, ethertype_pairs
from dvr_ryu.pipeline.language.scope import Scope, unknown_field
from dvr_ryu.pipeline.language.settings import COUNTED, FLAGS, NUMBERS, Settings
from dvr_ryu.pipeline.language.tokens import read_key_value, split_tokens

_SHORTEST_OPTION = 32
"""Bits that every option of a tunnel has."""


@frozen
class Head:
    """The parts before the actions. `priority` is None if the line does not name it."""

    priority: int | None
    settings: Settings
    matches: tuple[FieldMatch, ...]


def read_match(scope: Scope, text: str, at: int) -> Head:
    """Parse the part before actions=, which begins at offset `at`. Raises LineError."""
    return _Reader(scope).read(split_tokens(text, at, separators=", \t"))


class _Reader:
    """Parses the tokens of one line. Some names stand for different fields in different packets
    (tp_src), so the packets' types are found first.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.settings: dict[str, int] = {}
        self.flags = 0
        self.matches: dict[FieldMatch, int] = {}
        """Each match with its offset."""
        self.bits: dict[str, tuple[int, int, int]] = {}
        """Field → value, mask and offset of its matches of the form FIELD[BITS]=."""
        self.packets: tuple[int | None, int | None] = None, None

    def read(self, tokens: list[tuple[str, int]]) -> Head:
        self.packets = _packets(tokens)
        for token, start in tokens:
            self._token(token, start)
        for name, (value, mask, at) in self.bits.items():
            self._add(FieldMatch(FIELDS[name], value, mask), at)
        self._complete_vlan()
        _require_all(self.matches)
        priority = self.settings.pop("priority", None)
        settings: dict[str, Any] = {**self.settings, "flags": self.flags}
        return Head(priority, Settings(**settings), tuple(self.matches))

    def _token(self, token: str, at: int) -> None:
        setting = read_key_value(token, at)
        name, value = setting.key, setting.value
        if name in SHORTHANDS or name in FLAGS:
            if len(token) > len(name):
                raise LineError(at + len(name), f"{name} stands alone: it takes no value")
            self.flags |= FLAGS.get(name, 0)
            for field, number_ in SHORTHANDS.get(name, ()):
                self._add(FieldMatch(FIELDS[field], number_), at)
        elif token == name and (option := find(name)) and option.variable:
            self._add(FieldMatch(option, 0, 0), at)
        elif not value and (name in ("priority", "table", *NUMBERS) or find(name)):
            raise LineError(at + len(name), f"{name} needs a value: {name}={_example(name)}")
        elif name == "table":
            _same_table(self.scope, value, setting.value_at)
        elif name == "priority" or name in NUMBERS:
            self._setting(name, value, at)
        elif name not in COUNTED:
            self._field(name, value, at)

    def _setting(self, name: str, value: str, at: int) -> None:
        if name in self.settings:
            raise LineError(at, f"the {name} is written twice")
        self.settings[name] = self.scope.plain(value, NUMBERS.get(name, 16), at + len(name) + 1)

    def _field(self, name: str, text: str, at: int) -> None:
        start = at + len(name) + 1
        if "[" in name:
            self._bits(name, text, at)
            return
        field = find(_field_name(name, *self.packets))
        if field is None or "XM_" in name:
            raise self._no_field(name, at)
        if text == "*":
            if field.variable:
                self._add(FieldMatch(field, 0, 0), at)
            return
        if field.bit_names:
            self._add(_worded(field, text, start), at)
        elif field.name == "dl_vlan" and text.lower() in ("0xffff", "65535"):
            self._add(no_vlan(), at)
        else:
            self._add(_field_match(self.scope, field, text, start), at)

    def _no_field(self, name: str, at: int) -> LineError:
        if field := find(name):
            return LineError(
                at, f"only actions use the name {name}; a match calls the field {field.name}"
            )
        if why := why_not(name):
            return LineError(at, f"no {name} here: {why}")
        return unknown_field(name, at, *SHORTHANDS, "priority", *NUMBERS, *FLAGS)

    def _bits(self, name: str, text: str, at: int) -> None:
        """FIELD[BITS]=VALUE. Several such matches of one field make one match."""
        some = self.scope.subfield(name, at)
        start = at + len(name) + 1
        value = number(self.scope.operand(numbers.HEX, None, some.width, text, start))
        mask = (1 << some.width) - 1 << some.start
        before, had, location = self.bits.get(some.field.name, (0, 0, at))
        if had & mask or (had and some.field.variable):
            raise LineError(at, f"{some.field.name} is matched twice in the same bits")
        if mask != some.field.all_bits and not some.field.maskable:
            raise LineError(at, f"{some.field.name} takes no mask: it matches whole or not at all")
        self.bits[some.field.name] = before | value << some.start, had | mask, location

    def _add(self, match: FieldMatch, at: int) -> None:
        """Add a match at its offset, unless it is there already."""
        try:
            parts = normal(match)
        except ValueError as error:
            raise LineError(at, str(error)) from None
        for part in parts:
            _contradict(self.matches, part, at)
            self.matches.setdefault(part, at)

    def _complete_vlan(self) -> None:
        """Match a tag's priority after all else of the tag, and match that there is a tag: in
        ovs-ofctl, vlan_tci replaces any VLAN match before it.
        """
        names = {each.field.name: each for each in self.matches}
        if priority := names.get("vlan_pcp"):
            at = self.matches.pop(priority)
            if no_vlan() in self.matches:
                raise LineError(at, "a packet without a VLAN tag has no priority in it")
            if not names.keys() & {"dl_vlan", "vlan_vid"}:
                self.matches[tagged()] = at
            self.matches[priority] = at


def _packets(tokens: list[tuple[str, int]]) -> tuple[int | None, int | None]:
    """dl_type and nw_proto, as far as the tokens name them."""
    known: dict[str, int] = {}
    for token, _ in tokens:
        name, value = (setting := read_key_value(token, 0)).key, setting.value
        known.update(SHORTHANDS.get(name, ()))
        field = find(name)
        if field and field.name == "packet_type":
            with suppress(ValueError):
                known.update(ethertype_pairs(field.notation.read(value)))
        if field and field.name in ("dl_type", "nw_proto"):
            try:
                known[field.name] = numbers.read_int(value)
            except ValueError:
                continue  # Parsing the token itself reports it.
    return known.get("dl_type"), known.get("nw_proto")


def _field_name(name: str, ether: int | None, proto: int | None) -> str:
    """The field's name that stands for `name` in these packets."""
    if ether in (ARP, RARP):
        field_names = {"nw_src": "arp_spa", "nw_dst": "arp_tpa", "nw_proto": "arp_op"}
        field = find(name)
        return field_names.get(field.name, name) if field else name
    if (ether, proto) == (IP6, 58):
        field_names = {"tp_src": "icmpv6_type", "tp_dst": "icmpv6_code"}
        field_names |= {"icmp_type": "icmpv6_type", "icmp_code": "icmpv6_code"}
        return field_names.get(name, name)
    if (ether, proto) == (IP, 1):
        return {"tp_src": "icmp_type", "tp_dst": "icmp_code"}.get(name, name)
    if name in ("tp_src", "tp_dst"):
        return f"{TRANSPORTS.get(proto or 6, 'tcp')}_{name[3:]}"
    return name


def _same_table(scope: Scope, text: str, at: int) -> None:
    if scope.table_number(text, at) != scope.table:
        raise LineError(
            at, f"this line stands in table {scope.table}; leave 'table=' out, or move it"
        )


def _worded(field: Field, text: str, at: int) -> FieldMatch:
    assert field.bit_names
    try:
        return FieldMatch(field, *field.bit_names.read(text))
    except ValueError as error:
        raise LineError(at, str(error)) from None


def _field_match(scope: Scope, field: Field, text: str, at: int) -> FieldMatch:
    value, slash, mask = text.partition("/")
    if hole := scope.masked_hole(value, at):
        return _matched_by(hole, field, mask, at)
    operand = scope.value(field.notation, field.kind, field.bits, value, at)
    if field.variable and isinstance(operand, Hole) and operand.bits > _SHORTEST_OPTION:
        raise LineError(at, f"{operand} has more than the {_SHORTEST_OPTION} bits of any option")
    if not slash:
        return FieldMatch(field, operand)
    return _masked(scope, field, operand, mask, at + len(value) + 1)


def _matched_by(hole: Hole, field: Field, mask: str, at: int) -> FieldMatch:
    """The match of a masked number, which brings its own mask."""
    if not field.maskable:
        raise LineError(at, f"{hole} is a masked number, and {field.name} takes no mask")
    if mask:
        raise LineError(at + len(str(hole)), f"{hole} brings its own mask; leave /{mask} out")
    if hole.bits != field.bits:
        raise LineError(
            at,
            f"{hole} has {hole.bits} bits, and {field.name} has {field.bits}: take one of as many",
        )
    return FieldMatch(field, hole, MaskOf(hole))


def _masked(scope: Scope, field: Field, operand: Operand, text: str, at: int) -> FieldMatch:
    if not field.maskable:
        raise LineError(at - 1, f"{field.name} takes no mask: it matches whole or not at all")
    mask = _mask_number(scope, field, text, at)
    if mask == field.all_bits:
        return FieldMatch(field, operand)
    if not isinstance(operand, int):
        raise LineError(at - 1, f"{operand} takes no mask: it is matched whole")
    return FieldMatch(field, operand, mask)


def _mask_number(scope: Scope, field: Field, text: str, at: int) -> int:
    if field.notation in (numbers.IPV4, numbers.IPV6) and re.fullmatch("[0-9]{1,3}", text):
        if int(text) > field.bits:
            raise LineError(at, f"a prefix has 0 to {field.bits} bits")
        return field.all_bits & ~(field.all_bits >> int(text))
    if text.startswith("{"):
        raise LineError(at, "a mask is a plain number")
    return number(scope.operand(field.notation, None, field.bits, text, at))


def _example(name: str) -> str:
    field = find(name)
    return field.notation.example if field else "1"


def _contradict(matches: Mapping[FieldMatch, int], match: FieldMatch, at: int) -> None:
    """Raise LineError if a match repeats a field with another value; dl_vlan is in vlan_vid."""
    name = match.field.name
    same = {"dl_vlan": "vlan_vid", "vlan_vid": "dl_vlan"}.get(name, name)
    for each in matches:
        if each != match and each.field.name == name:
            raise LineError(at, f"{name} is matched twice, with different values")
        if each.field.name == same != name:
            raise LineError(at, f"{name} is matched as {same} already")


def _require_all(matches: Mapping[FieldMatch, int]) -> None:
    packet = Packet.matched(matches)
    for each, at in matches.items():
        name = each.field.name
        if name != "vlan_pcp" and (reason := packet.why_absent(each.field)):
            raise LineError(at, reason)
        if name.startswith(("ct_nw", "ct_ipv6", "ct_tp")) and not connection_known(matches):
            raise LineError(
                at, f"only tracked connections have {name}: match ct_state=+trk+est as well"
            )
        if name.startswith("ct_tp") and "ct_nw_proto" not in packet.known:
            raise LineError(
                at, f"Open vSwitch leaves {name} out: match ct_nw_proto=6 or so as well"
            )
