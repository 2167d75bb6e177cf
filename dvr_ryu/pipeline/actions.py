"""What a flow does to a packet: one value class an action, each able to print itself and to become
Ryu's action.

Operands may still be holes or port names (see `operands`); `build` wants them filled. No text is
read here.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4 as ofp
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline import numbers
from dvr_ryu.pipeline.fields import NXM_NAMES, OXM_NAMES, VLAN_PRESENT, Field
from dvr_ryu.pipeline.operands import Operand, Unknown

SETTERS = {
    "mod_dl_src": "dl_src",
    "mod_dl_dst": "dl_dst",
    "mod_nw_src": "nw_src",
    "mod_nw_dst": "nw_dst",
    "set_tunnel": "tun_id",
}
"""ovs-ofctl's short words for setting one field."""

RESUBMIT_IN_PORT = 0xFFF8
"""OFPP_IN_PORT in 16 bits, as the Nicira resubmit carries it."""


def written(form: numbers.Form, value: Operand) -> str:
    """An operand as text: a number in its form, a hole or a port name as it is."""
    return form.write(value) if isinstance(value, int) else str(value)


def number(value: Operand) -> int:
    """The operand's number; a hole or port name here is a mistake of ours."""
    if isinstance(value, Unknown):
        raise TypeError(f"{value} is not filled")
    return value


@frozen
class Output:
    """Send the packet to a port. To the controller it is sent whole."""

    port: Operand

    def __str__(self) -> str:
        text = written(numbers.PORT, self.port)
        reserved = isinstance(self.port, int) and self.port in numbers.RESERVED_PORTS.values()
        return text if reserved else f"output:{text}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionOutput."""
        return [parser.OFPActionOutput(number(self.port), ofp.OFPCML_NO_BUFFER)]


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
        value = to_ryu(self.field, self.value, self.present)
        return [parser.OFPActionSetField(**{self.field.oxm: value})]


@frozen
class ModVlanVid:
    """Give the packet this VLAN tag; `push`: it has none yet, so it gets one first.

    OpenFlow 1.0's word, which ovs-ofctl carries over later protocols just so.
    """

    tag: Operand
    push: bool

    def __str__(self) -> str:
        return f"mod_vlan_vid:{written(numbers.DECIMAL, self.tag)}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionSetField, after an OFPActionPushVlan where there is no tag."""
        tag = parser.OFPActionSetField(vlan_vid=number(self.tag) | VLAN_PRESENT)
        return [parser.OFPActionPushVlan(), tag] if self.push else [tag]


@frozen
class PushVlan:
    """Put an empty VLAN tag before the packet."""

    ethertype: int

    def __str__(self) -> str:
        return f"push_vlan:{self.ethertype:#06x}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionPushVlan."""
        return [parser.OFPActionPushVlan(self.ethertype)]


@frozen
class PopVlan:
    """Take the outer VLAN tag off."""

    def __str__(self) -> str:
        return "pop_vlan"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionPopVlan."""
        return [parser.OFPActionPopVlan()]


@frozen
class Subfield:
    """Some bits of a field: `width` of them from bit `start`, the lowest being 0."""

    field: Field
    start: int
    width: int

    def __str__(self) -> str:
        name = NXM_NAMES.get(self.field.name, self.field.name)
        if self.width == self.whole:
            return f"{name}[]"
        last = self.start + self.width - 1
        return f"{name}[{self.start}]" if self.width == 1 else f"{name}[{self.start}..{last}]"

    @property
    def whole(self) -> int:
        """The width of the whole field, as Nicira's extensions see it (in_port has 16 bits
        there).
        """
        return 16 if self.field.name == "in_port" else self.field.bits


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


@frozen
class Resubmit:
    """Look the packet up again in another table, then come back to the next action."""

    table: int

    def __str__(self) -> str:
        return f"resubmit(,{self.table})"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionResubmitTable."""
        return [parser.NXActionResubmitTable(in_port=RESUBMIT_IN_PORT, table_id=self.table)]


@frozen
class LearnMatch:
    """The learned flow matches `target` against a number or what `source` held in this packet."""

    target: Subfield
    source: Subfield | int

    def __str__(self) -> str:
        if self.source == self.target:
            return str(self.target)
        text = f"{self.source:#x}" if isinstance(self.source, int) else str(self.source)
        return f"{self.target}={text}"

    def build(self) -> Any:
        """Return Ryu's NXFlowSpecMatch."""
        return parser.NXFlowSpecMatch(
            src=_learn_source(self.source), dst=_learn_end(self.target), n_bits=self.target.width
        )


@frozen
class LearnLoad:
    """The learned flow writes `target`: a number or what `source` held in this packet."""

    source: Subfield | int
    target: Subfield

    def __str__(self) -> str:
        text = f"{self.source:#x}" if isinstance(self.source, int) else str(self.source)
        return f"load:{text}->{self.target}"

    def build(self) -> Any:
        """Return Ryu's NXFlowSpecLoad."""
        return parser.NXFlowSpecLoad(
            src=_learn_source(self.source), dst=_learn_end(self.target), n_bits=self.target.width
        )


@frozen
class LearnOutput:
    """The learned flow sends packets to the port that `source` held in this packet."""

    source: Subfield

    def __str__(self) -> str:
        return f"output:{self.source}"

    def build(self) -> Any:
        """Return Ryu's NXFlowSpecOutput."""
        return parser.NXFlowSpecOutput(
            src=_learn_end(self.source), dst="", n_bits=self.source.width
        )


def _learn_end(subfield: Subfield) -> tuple[str, int]:
    return subfield.field.nxm, subfield.start


def _learn_source(source: Subfield | int) -> tuple[str, int] | int:
    return source if isinstance(source, int) else _learn_end(source)


@frozen
class Learn:
    """Make a flow from this packet. `settings` are the table, priority, timeouts and cookie it
    gets.
    """

    settings: tuple[tuple[str, int], ...]
    parts: tuple[LearnMatch | LearnLoad | LearnOutput, ...]

    def __str__(self) -> str:
        forms = {"cookie": hex}
        settings = [f"{name}={forms.get(name, str)(value)}" for name, value in self.settings]
        return f"learn({','.join([*settings, *map(str, self.parts)])})"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionLearn."""
        names = {"table": "table_id", "fin_idle_timeout": "fin_idle_timeout"}
        settings = {names.get(name, name): value for name, value in self.settings}
        return [
            parser.NXActionLearn(
                **{"priority": 0x8000, **settings}, specs=[part.build() for part in self.parts]
            )
        ]


@frozen
class GotoTable:
    """Go on in a later table: an instruction, so the last word of a flow."""

    table: int

    def __str__(self) -> str:
        return f"goto_table:{self.table}"


def to_ryu(field: Field, value: Operand, present: int = 0) -> int | str:
    """A field's number as Ryu's user value: text for addresses, an int for everything else."""
    plain = number(value) | present
    if field.form in (numbers.MAC, numbers.IPV4):
        return field.form.write(plain)
    return plain


AnyAction = Output | SetField | ModVlanVid | PushVlan | PopVlan | Move | Load | Resubmit | Learn
"""Every action; GotoTable is not one, it is an instruction."""
