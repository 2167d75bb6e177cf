"""Bits of fields as actions name them: what may be read or written, and how Ryu takes it."""

from __future__ import annotations

from dvr_ryu.pipeline.fields import Field, Subfield
from dvr_ryu.pipeline.packet import Packet
from dvr_ryu.pipeline.scope import Scope
from dvr_ryu.pipeline.source import Wrong

TRACKED = {"ct_mark", "ct_label"}
"""Fields of a connection: written only within ct(commit,exec(...))."""


_LONG_NAMES = ("nsh_", "dp_hash", "actset_output")
"""How fields begin whose names take 8 bytes; Ryu's actions have room for 4."""


def read_source(scope: Scope, text: str, at: int, *known: str) -> Subfield:
    """Bits that an action reads; `known` are words that could stand here too."""
    bits = scope.subfield(text, at, *known)
    require_named(bits.field, at)
    require_there(scope.packet, bits.field, at)
    return bits


def read_target(scope: Scope, text: str, at: int) -> Subfield:
    """Bits that an action writes."""
    bits = scope.subfield(text, at)
    require_named(bits.field, at)
    require_writable(scope, bits.field, at)
    return bits


def require_named(field: Field, at: int) -> None:
    """Raise unless Ryu has the name that Nicira's actions give the field, in 4 bytes."""
    if not field.nxm or field.name.startswith(_LONG_NAMES):
        raise Wrong(at, f"Ryu 4.34 cannot carry {field.name} here, only in a match or set_field")


def require_writable(scope: Scope, field: Field, at: int) -> None:
    """Raise unless an action may write the field here, in this packet."""
    require_not_read_only(field, at)
    if field.name in TRACKED and not scope.packet.committing:
        raise Wrong(at, f"{field.name} is written only within ct(commit,exec(…))")
    if field.name not in TRACKED and scope.packet.committing:
        raise Wrong(at, f"within exec(…), only ct_mark and ct_label are written, not {field.name}")
    require_there(scope.packet, field, at)


def require_learnable(learned: Packet, field: Field, at: int) -> None:
    """Raise unless a learned flow may write the field, in the packets that it matches."""
    require_named(field, at)
    require_not_read_only(field, at)
    require_there(learned, field, at)


def require_not_read_only(field: Field, at: int) -> None:
    """Raise where no action may write the field, in any packet."""
    if field.read_only:
        raise Wrong(at, f"{field.name} is read-only: no action writes it")


def require_there(packet: Packet, field: Field, at: int) -> None:
    """Raise unless the packet has the field for sure."""
    if field.name == "dl_vlan":
        raise Wrong(at, "dl_vlan can only be matched; write vlan_vid")
    if lacking := packet.lacks(field):
        raise Wrong(at, f"{field.name} is only in some packets: match {lacking} as well")


def require_tag(packet: Packet, field: Field, at: int) -> None:
    """Raise unless the packet has the VLAN tag that a number shall be written to."""
    if field.name == "vlan_vid" and not packet.tagged:
        raise Wrong(at, "there may be no VLAN tag: match dl_vlan as well, or write push_vlan")


def require_same_width(source: Subfield, target: Subfield, at: int) -> None:
    """What is copied must fit, bit for bit."""
    if source.width != target.width:
        raise Wrong(at, f"{source} has {source.width} bits, {target} has {target.width}")


def ofs_nbits(bits: Subfield) -> int:
    """Where the bits are, as Nicira's actions say it: the first, and one less than how many."""
    return bits.start << 6 | (bits.width - 1)
