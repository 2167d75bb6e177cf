"""Writing a packet's fields: a whole one, some bits of one, or from one to another."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline import numbers
from dvr_ryu.pipeline.fields import FIELDS, OXM_NAMES, VLAN_PRESENT, Field, Subfield
from dvr_ryu.pipeline.operands import Hole, Operand, number, written
from dvr_ryu.pipeline.phrases import parted
from dvr_ryu.pipeline.scope import Scope
from dvr_ryu.pipeline.source import Wrong

SETTERS = {
    "mod_dl_src": "dl_src",
    "mod_dl_dst": "dl_dst",
    "mod_nw_src": "nw_src",
    "mod_nw_dst": "nw_dst",
    "set_tunnel": "tun_id",
}
"""ovs-ofctl's short words for setting one field."""


@frozen
class SetField:
    """Write a whole field. `present` are bits that go with every value: there is a VLAN tag."""

    field: Field
    value: Operand
    present: int = 0

    def __str__(self) -> str:
        value = self.value | self.present if isinstance(self.value, int) else self.value
        name = OXM_NAMES.get(self.field.name, self.field.name)
        return f"set_field:{written(self.field.form, value)}->{name}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionSetField."""
        value = self.field.to_ryu(number(self.value) | self.present)
        return [parser.OFPActionSetField(**{self.field.oxm: value})]


@frozen
class Move:
    """Copy bits of one field to another."""

    source: Subfield
    target: Subfield

    def __str__(self) -> str:
        return f"move:{self.source}->{self.target}"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionRegMove."""
        return [
            parser.NXActionRegMove(
                src_field=self.source.field.nxm,
                dst_field=self.target.field.nxm,
                n_bits=self.source.width,
                src_ofs=self.source.start,
                dst_ofs=self.target.start,
            )
        ]


@frozen
class Load:
    """Write a number into bits of a field."""

    value: Operand
    target: Subfield

    def __str__(self) -> str:
        return f"load:{written(numbers.HEX, self.value)}->{self.target}"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionRegLoad."""
        return [
            parser.NXActionRegLoad(
                ofs_nbits=(self.target.start << 6) | (self.target.width - 1),
                dst=self.target.field.nxm,
                value=number(self.value),
            )
        ]


def read_setter(scope: Scope, word: str, rest: str, at: int) -> SetField:
    """One of the short words, such as mod_dl_src:MAC."""
    field = FIELDS[SETTERS[word]]
    return SetField(field, scope.argument(field.form, field.kind, field.bits, rest, at))


def read_set_field(scope: Scope, rest: str, at: int) -> SetField:
    """set_field:VALUE->FIELD."""
    text, target = parted(rest, at, "VALUE->FIELD", "set_field:2->arp_op")
    start = at + 1 + len(text) + 2
    field = scope.subfield(target, start).field
    if "[" in target:
        raise Wrong(
            start + target.index("["), "set_field writes a whole field; for some bits, use load"
        )
    value = scope.operand(field.form, field.kind, field.bits, text, at + 1)
    # A tag from the topology is a bare number; a number in ovs-ofctl's text has the bit itself.
    tag = field.name == "vlan_vid" and isinstance(value, Hole)
    return SetField(field, value, VLAN_PRESENT if tag else 0)


def read_load(scope: Scope, rest: str, at: int) -> Load:
    """load:VALUE->FIELD[BITS]."""
    value, target = parted(rest, at, "VALUE->FIELD", "load:0x2->NXM_OF_ARP_OP[]")
    end = scope.subfield(target, at + 1 + len(value) + 2)
    kind = end.field.kind if end.width == end.whole else None
    return Load(scope.operand(numbers.HEX, kind, end.width, value, at + 1), end)


def read_move(scope: Scope, rest: str, at: int) -> Move:
    """move:FIELD[BITS]->FIELD[BITS]."""
    source, target = parted(rest, at, "FIELD->FIELD", "move:arp_sha[]->arp_tha[]")
    ends = scope.subfield(source, at + 1), scope.subfield(target, at + 1 + len(source) + 2)
    require_same_width(*ends, at + 1)
    return Move(*ends)


def require_same_width(source: Subfield, target: Subfield, at: int) -> None:
    """What is copied must fit, bit for bit."""
    if source.width != target.width:
        raise Wrong(at, f"{source} has {source.width} bits, {target} has {target.width}")
