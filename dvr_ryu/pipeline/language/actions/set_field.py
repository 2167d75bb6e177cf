"""Actions that write fields: set_field, load, move, push, pop and their shorthands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import frozen
from ryu.ofproto import nicira_ext
from ryu.ofproto import ofproto_v1_4 as ofp

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.actions.base import Action, Argument, reads
from dvr_ryu.pipeline.language.actions.subfields import (
    read_source,
    read_target,
    require_not_read_only,
    require_number,
    require_same_width,
    require_tag,
    require_writable,
)
from dvr_ryu.pipeline.language.encoding import nicira
from dvr_ryu.pipeline.language.encoding.action import RawAction
from dvr_ryu.pipeline.language.fields import FIELDS, OXM_NAMES, VLAN_PRESENT, Field, Subfield
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import Hole, Operand, number, written
from dvr_ryu.pipeline.language.scope import Scope

_SET_BY_NXM = {"in_port", "nw_tos"}
"""Fields that Open vSwitch sets by Nicira's header although it matches them by OpenFlow's: in_port
has 16 bits there and not 32, nw_tos has 8 and not 6.
"""
_SOME_FIELD = "a field", ":NXM_NX_REG0[]"


@frozen
class SetField(Action):
    """Write a field, in the bits of `mask` (None: in all). `present` are bits that every value
    gets: the one that says that there is a VLAN tag.
    """

    in_action_set = True

    field: Field
    value: Operand
    mask: int | None = None
    present: int = 0

    def __str__(self) -> str:
        value = self.value | self.present if isinstance(self.value, int) else self.value
        text = written(self.field.notation, value)
        if self.mask is not None:
            text += f"/{self.field.notation.write(self.mask)}"
        return f"set_field:{text}->{OXM_NAMES.get(self.field.name, self.field.name)}"

    def build(self) -> list[Any]:
        """Return OpenFlow's set_field. OpenFlow 1.4 has no masks there: with a mask, return one
        load for each run of bits, or Nicira's own action if a load cannot name the field.
        """
        value = number(self.value) | self.present
        if self.mask is None:
            if self.field.name in _SET_BY_NXM:
                return [RawAction(ofp.OFPAT_SET_FIELD, self.field.nxm.entry(value & 0xFFFF))]
            return [RawAction(ofp.OFPAT_SET_FIELD, self.field.entry(value))]
        if nicira.needs_load2(self.field):
            return [*nicira.reg_load2(self.field, value, self.mask)]
        runs = _runs(self.mask, Subfield(self.field, 0, 0).whole)
        pieces = (Subfield(self.field, start, width) for start, width in runs)
        return [load for bits in pieces for load in nicira.reg_load(_cut(value, bits), bits)]


def _runs(mask: int, bits: int) -> Iterator[tuple[int, int]]:
    """The start and the length of each run of ones in a mask."""
    start = 0
    while start < bits:
        width = 0
        while start + width < bits and mask >> (start + width) & 1:
            width += 1
        if width:
            yield start, width
        start += width + 1


def _cut(value: int, bits: Subfield) -> int:
    return value >> bits.start & ((1 << bits.width) - 1)


@frozen
class Move(Action):
    """Copy bits of one field to another."""

    in_action_set = True

    source: Subfield
    target: Subfield

    def __str__(self) -> str:
        return f"move:{self.source}->{self.target}"

    def build(self) -> list[Any]:
        """Return Nicira's move."""
        return [nicira.reg_move(self.source, self.target)]


@frozen
class Load(Action):
    """Write a number into bits of a field."""

    in_action_set = True

    value: Operand
    target: Subfield

    def __str__(self) -> str:
        return f"load:{written(numbers.HEX, self.value)}->{self.target}"

    def build(self) -> list[Any]:
        """Return Nicira's loads, one for every 64 bits."""
        return [*nicira.reg_load(number(self.value), self.target)]


@frozen
class DeleteField(Action):
    """Remove a tunnel's option from the packet."""

    field: Field

    def __str__(self) -> str:
        return f"delete_field:{self.field.name}"

    def build(self) -> list[Any]:
        """Return Nicira's delete_field."""
        return [nicira.delete_field(self.field)]


@frozen
class CheckPktLarger(Action):
    """Write 1 into a bit if the packet is longer than so many bytes, and 0 if it is not."""

    length: int
    target: Subfield

    def __str__(self) -> str:
        return f"check_pkt_larger({self.length})->{self.target}"

    def build(self) -> list[Any]:
        """Return Nicira's check_pkt_larger."""
        return [nicira.check_pkt_larger(self.length, self.target)]


@frozen
class Push(Action):
    """Push bits of a field on the packet's stack."""

    source: Subfield

    def __str__(self) -> str:
        return f"push:{self.source}"

    def build(self) -> list[Any]:
        """Return Nicira's push."""
        return [nicira.stack(nicira_ext.NXAST_STACK_PUSH, self.source)]


@frozen
class Pop(Action):
    """Pop the top of the packet's stack into bits of a field."""

    target: Subfield

    def __str__(self) -> str:
        return f"pop:{self.target}"

    def build(self) -> list[Any]:
        """Return Nicira's pop."""
        return [nicira.stack(nicira_ext.NXAST_STACK_POP, self.target)]


def read_whole(scope: Scope, name: str, argument: Argument) -> SetField:
    """The set_field of a shorthand for one field, such as mod_dl_src:MAC."""
    field = FIELDS[name]
    require_writable(scope, field, argument.end)
    text = argument.text
    if not text:
        raise LineError(
            argument.end, f"a {field.notation.noun} is missing here: :{field.notation.example}"
        )
    return SetField(field, scope.operand(field.notation, field.kind, field.bits, text, argument.at))


def _reads_field_action(action: str, name: str) -> None:
    @reads(action)
    def _(scope: Scope, argument: Argument) -> SetField:
        """A shorthand of set_field for one field."""
        return read_whole(scope, name, argument)


for _action, _name in {
    "mod_dl_src": "dl_src",
    "mod_dl_dst": "dl_dst",
    "mod_nw_src": "nw_src",
    "mod_nw_dst": "nw_dst",
    "set_tunnel": "tun_id",
    "set_tunnel64": "tun_id",
}.items():
    _reads_field_action(_action, _name)


@reads("set_field")
def read_set_field(scope: Scope, argument: Argument) -> SetField:
    """set_field:VALUE->FIELD, set_field:VALUE/MASK->FIELD."""
    left, right = argument.arrow("VALUE->FIELD", "set_field:2->arp_op")
    field = scope.subfield(right.text, right.at).field
    if "[" in right.text:
        at = right.at + right.text.index("[")
        raise LineError(at, "set_field writes a whole field; for some bits, use load")
    require_writable(scope, field, right.at)
    require_tag(scope.packet, field, right.at)
    if field.name == "in_port_oxm":
        raise LineError(right.at, "Open vSwitch sets in_port only by that name")
    if field.bit_names and not left.text[:1].isdigit():
        return _worded(field, left)
    text, slash, mask = left.text.partition("/")
    value = scope.value(field.notation, field.kind, field.bits, text, left.at)
    require_number(field, value, left.at)
    if slash:
        return _masked(scope, field, value, mask, left.at + len(text) + 1)
    _note_tag(scope, field, value)
    if isinstance(value, int) and value & ((1 << field.below) - 1):
        raise LineError(left.at, f"the lowest {field.below} bits of {field.name} must be 0")
    if field.name == "vlan_vid" and isinstance(value, int) and not value & VLAN_PRESENT:
        tagged = value + VLAN_PRESENT
        raise LineError(left.at, f"write a VLAN tag with {VLAN_PRESENT:#x} set: {tagged}")
    # A tag from the topology is a bare number; a number in ovs-ofctl's text contains the bit.
    tag = field.name == "vlan_vid" and isinstance(value, Hole)
    return SetField(field, value, present=VLAN_PRESENT if tag else 0)


def _worded(field: Field, argument: Argument) -> SetField:
    assert field.bit_names
    try:
        value, mask = field.bit_names.read(argument.text)
    except ValueError as error:
        raise LineError(argument.at, str(error)) from None
    return SetField(field, value, mask if argument.text[:1] in ("+", "-") else None)


def _masked(scope: Scope, field: Field, value: Operand, text: str, at: int) -> SetField:
    if not field.maskable:
        raise LineError(at - 1, f"{field.name} takes no mask: it is written whole, or by load")
    if not isinstance(value, int):
        raise LineError(at - 1, f"{value} takes no mask: it is written whole")
    mask = number(scope.operand(field.notation, None, field.bits, text, at))
    if field.variable and not mask:
        raise LineError(at, "a mask without bits writes nothing")
    if nicira.needs_load2(field) and value & ~mask:
        raise LineError(at, "the mask leaves out bits of the value: Open vSwitch refuses them")
    if mask == (1 << 8 * field.oxm.length) - 1:
        return SetField(field, value)
    _note_tag(scope, field, value & mask)
    return SetField(field, value & mask, mask)


@reads("load")
def read_load(scope: Scope, argument: Argument) -> Load:
    """load:VALUE->FIELD[BITS]."""
    left, right = argument.arrow("VALUE->FIELD", "load:0x2->NXM_OF_ARP_OP[]")
    bits = read_target(scope, right.text, right.at)
    require_tag(scope.packet, bits.field, right.at)
    kind = bits.field.kind if bits.width == bits.whole else None
    value = scope.value(numbers.HEX, kind, bits.width, left.text, left.at)
    require_number(bits.field, value, left.at)
    _note_tag(scope, bits.field, value << bits.start if isinstance(value, int) else value)
    return Load(value, bits)


def _note_tag(scope: Scope, field: Field, value: Operand) -> None:
    """Note whether the packet has a tag now. Open vSwitch judges by the written bits."""
    if field.name == "vlan_tci":
        scope.packet.tagged = isinstance(value, int) and bool(value & VLAN_PRESENT)


@reads("delete_field")
def read_delete_field(scope: Scope, argument: Argument) -> DeleteField:
    """delete_field:FIELD."""
    text = argument.present("a field", ":tun_metadata0")
    field = scope.subfield(text, argument.at).field
    if "[" in text:
        raise LineError(argument.at + text.index("["), "delete_field removes a whole field")
    if not field.variable:
        raise LineError(
            argument.at, "delete_field removes only a tunnel's options: tun_metadata0 to 63"
        )
    require_writable(scope, field, argument.at)
    return DeleteField(field)


@reads("move")
def read_move(scope: Scope, argument: Argument) -> Move:
    """move:FIELD[BITS]->FIELD[BITS]."""
    left, right = argument.arrow("FIELD->FIELD", "move:arp_sha[]->arp_tha[]")
    source = read_source(scope, left.text, left.at)
    target = read_target(scope, right.text, right.at)
    require_same_width(source, target, left.at)
    return Move(source, target)


@reads("check_pkt_larger")
def read_check_pkt_larger(scope: Scope, argument: Argument) -> CheckPktLarger:
    """check_pkt_larger(LENGTH)->FIELD[BIT]."""
    left, right = argument.arrow("a bit", "check_pkt_larger(1500)->reg0[0]")
    length = scope.plain(left.text.strip("()"), 16, left.at)
    bit = scope.subfield(right.text, right.at)
    require_not_read_only(bit.field, right.at)
    if bit.width != 1:
        raise LineError(right.at, f"the answer is one bit, {bit} has {bit.width}: reg0[0]")
    return CheckPktLarger(length, bit)


@reads("push")
def read_push(scope: Scope, argument: Argument) -> Push:
    """push:FIELD[BITS]."""
    return Push(read_source(scope, argument.present(*_SOME_FIELD), argument.at))


@reads("pop")
def read_pop(scope: Scope, argument: Argument) -> Pop:
    """pop:FIELD[BITS]."""
    return Pop(read_target(scope, argument.present(*_SOME_FIELD), argument.at))
