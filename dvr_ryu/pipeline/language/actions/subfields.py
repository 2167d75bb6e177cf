"""Subfields in actions: parses them, and checks whether an action may read or write them."""

from __future__ import annotations

from dvr_ryu.pipeline.language.fields import Field, Subfield
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import Operand
from dvr_ryu.pipeline.language.packet import Packet
from dvr_ryu.pipeline.language.scope import Scope

TRACKED = {"ct_mark", "ct_label"}
"""Fields of a connection: written only within ct(commit,exec(...))."""


def read_source(scope: Scope, text: str, at: int, *known: str) -> Subfield:
    """The subfield that an action reads. `known` are other names that the text may have."""
    bits = scope.subfield(text, at, *known)
    require_present(scope.packet, bits.field, at)
    return bits


def read_target(scope: Scope, text: str, at: int) -> Subfield:
    """The subfield that an action writes."""
    bits = scope.subfield(text, at)
    require_writable(scope, bits.field, at)
    return bits


def require_short_name(field: Field, at: int) -> None:
    """Raise unless the field's OXM header has 4 bytes: some of Nicira's actions hold no more."""
    if field.nxm.experimenter is not None:
        raise LineError(
            at,
            f"{field.name} cannot stand here: its OXM header has 8 bytes, and the action holds 4",
        )


def require_writable(scope: Scope, field: Field, at: int) -> None:
    """Raise unless an action may write the field here, in this packet."""
    require_not_read_only(field, at)
    if field.name in TRACKED and not scope.packet.committing:
        raise LineError(at, f"only ct(commit,exec(…)) writes {field.name}")
    if field.name not in TRACKED and scope.packet.committing:
        raise LineError(at, f"exec(…) writes only ct_mark and ct_label, not {field.name}")
    require_present(scope.packet, field, at)


def require_learnable(learned: Packet, field: Field, at: int) -> None:
    """Raise unless a learned flow may write the field, in the packets that it matches."""
    require_short_name(field, at)
    require_not_read_only(field, at)
    require_present(learned, field, at)


def require_not_read_only(field: Field, at: int) -> None:
    """Raise where no action may write the field, in any packet."""
    if field.read_only:
        raise LineError(at, f"{field.name} is read-only: no action writes it")


def require_present(packet: Packet, field: Field, at: int) -> None:
    """Raise unless the packet surely has the field."""
    if field.name == "dl_vlan":
        raise LineError(at, "no action writes dl_vlan: use vlan_vid")
    if reason := packet.why_absent(field):
        raise LineError(at, reason)


def require_tag(packet: Packet, field: Field, at: int) -> None:
    """Raise unless the packet has the VLAN tag that an action writes."""
    if field.name == "vlan_vid" and not packet.tagged:
        raise LineError(at, "there may be no VLAN tag: match dl_vlan as well, or write push_vlan")


def require_number(field: Field, value: Operand, at: int) -> None:
    """Raise if an action would write a hole into a tunnel's option: a larger number takes more
    bytes there, but all flows of a line have one length.
    """
    if field.variable and not isinstance(value, int):
        raise LineError(
            at,
            f"write {value} into a register, and move it from there: "
            f"load:{value}->reg0[],move:reg0[]->{field.name}[0..31]",
        )


def require_same_width(source: Subfield, target: Subfield, at: int) -> None:
    """Raise unless source and target have the same number of bits."""
    if source.width != target.width:
        raise LineError(at, f"{source} has {source.width} bits, {target} has {target.width}")
