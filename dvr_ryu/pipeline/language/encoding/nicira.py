"""Nicira's actions as bytes: those that name fields, and those that Ryu 4.34 lacks or writes
wrongly.

Each function has its action's name and takes its values. The layouts are those of struct
nx_action_* in Open vSwitch's lib/ofp-actions.c.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Any

from ryu.ofproto import nicira_ext
from ryu.ofproto import ofproto_v1_4 as ofp

from dvr_ryu.pipeline.language.encoding.action import RawAction, nicira, packed
from dvr_ryu.pipeline.language.encoding.layout import padded
from dvr_ryu.pipeline.language.fields import Field, Subfield

_OUTPUT_REG2, _REG_LOAD2, _SAMPLE3, _CLONE, _RESUBMIT_TABLE_CT = 32, 33, 41, 42, 44
_LEARN2, _ENCAP, _DECAP, _CHECK_PKT_LARGER, _DELETE_FIELD = 45, 46, 47, 49, 50
"""NXAST_* whose numbers Ryu lacks."""

_WHOLE = ofp.OFPCML_NO_BUFFER
_LONGEST_LOAD = 64
"""The number of bits that NXAST_REG_LOAD writes."""


def ofs_nbits(bits: Subfield) -> int:
    """A subfield in one number: its first bit, and its width less one."""
    return bits.start << 6 | (bits.width - 1)


def reg_move(source: Subfield, target: Subfield) -> RawAction:
    """Copy bits."""
    head = struct.pack("!HHH", source.width, source.start, target.start)
    return nicira(nicira_ext.NXAST_REG_MOVE, head + _name(source) + _name(target))


def reg_load(value: int, target: Subfield) -> list[RawAction]:
    """Write bits, 64 at a time; all at once for a field that needs load2."""
    if needs_load2(target.field):
        mask = (1 << target.width) - 1 << target.start
        return reg_load2(target.field, value << target.start, mask)
    loads = []
    for start in range(0, target.width, _LONGEST_LOAD):
        width = min(_LONGEST_LOAD, target.width - start)
        piece = Subfield(target.field, target.start + start, width)
        bits = value >> start & ((1 << width) - 1)
        body = struct.pack("!H", ofs_nbits(piece)) + _name(piece) + struct.pack("!Q", bits)
        loads.append(nicira(nicira_ext.NXAST_REG_LOAD, body))
    return loads


def needs_load2(field: Field) -> bool:
    """Whether the field is an experimenter's, or a tunnel's option."""
    return field.nxm.experimenter is not None or field.variable


def reg_load2(field: Field, value: int, mask: int) -> list[RawAction]:
    """Write such a field in the bits of a mask. The lowest words of an option are written in two
    halves: only the switch knows whether they are the whole option, which must have no mask.
    """
    if mask == (1 << 8 * field.nxm.length) - 1:
        return [nicira(_REG_LOAD2, field.nxm.entry(value))]
    halves = [mask]
    if field.variable and not mask & (mask + 1) and not mask.bit_length() % 32:
        halves = [mask & 0xFFFF, mask & ~0xFFFF]
    return [nicira(_REG_LOAD2, field.nxm.entry(value & half, half)) for half in halves]


def stack(subtype: int, bits: Subfield) -> RawAction:
    """NXAST_STACK_PUSH or NXAST_STACK_POP."""
    body = struct.pack("!H", bits.start) + _name(bits) + struct.pack("!H", bits.width)
    return nicira(subtype, body.ljust(14, b"\0"))


def output_reg(source: Subfield) -> RawAction:
    """Send the packet to the port that a field names."""
    where = struct.pack("!H", ofs_nbits(source))
    if source.field.nxm.experimenter is None:
        body = where + _name(source) + struct.pack("!H6x", _WHOLE)
        return nicira(nicira_ext.NXAST_OUTPUT_REG, body)
    body = where + struct.pack("!H", _WHOLE) + _name(source)
    return nicira(_OUTPUT_REG2, body.ljust(14, b"\0"))


def check_pkt_larger(length: int, target: Subfield) -> RawAction:
    """Write whether the packet is longer than so many bytes into a bit."""
    body = struct.pack("!HH", length, target.start) + _name(target)
    return nicira(_CHECK_PKT_LARGER, body.ljust(14, b"\0"))


def delete_field(field: Field) -> RawAction:
    """Remove a tunnel's option."""
    return nicira(_DELETE_FIELD, field.nxm.header().ljust(14, b"\0"))


def clone(actions: Iterable[Any]) -> RawAction:
    """Do actions on a copy of the packet."""
    return nicira(_CLONE, bytes(6) + packed(actions))


def ct(flags: int, zone: int | Subfield, table: int, alg: int, actions: Iterable[Any]) -> RawAction:
    """Look up a connection; `zone` is a number, or bits of a field."""
    if isinstance(zone, int):
        where = struct.pack("!IH", 0, zone)
    else:
        where = _name(zone) + struct.pack("!H", ofs_nbits(zone))
    body = struct.pack("!H", flags) + where + struct.pack("!B3xH", table, alg)
    return nicira(nicira_ext.NXAST_CT, body + packed(actions))


def resubmit_table_ct(port: int, table: int) -> RawAction:
    """Look the packet up again with its connection's original addresses and ports."""
    return nicira(_RESUBMIT_TABLE_CT, struct.pack("!HB", port, table))


def learn(settings: Mapping[str, int], specs: bytes, result: Subfield | None) -> RawAction:
    """Make a flow. `settings` are those of learn(); a limit of 0 is none, and the flags are one
    number.
    """
    names = ("idle_timeout", "hard_timeout", "priority", "cookie", "flags", "table")
    body = struct.pack("!HHHQHBx", *(settings[name] for name in names))
    body += struct.pack("!HH", settings["fin_idle_timeout"], settings["fin_hard_timeout"])
    if not settings["limit"] and not result:
        return nicira(nicira_ext.NXAST_LEARN, body + specs)
    body += struct.pack("!IH2x", settings["limit"], result.start if result else 0)
    return nicira(_LEARN2, body + (_name(result) if result else b"") + specs)


_IMMEDIATE = 1 << 13


def learn_spec(kind: int, source: Subfield | int, target: Subfield | None, width: int) -> bytes:
    """One part of a learn: its kind (0 match, 1 load, 2 output), from a number or from bits."""
    content = (
        source.to_bytes((width + 15) // 16 * 2, "big")
        if isinstance(source, int)
        else _name(source) + struct.pack("!H", source.start)
    )
    head = kind << 11 | width | (_IMMEDIATE if isinstance(source, int) else 0)
    end = _name(target) + struct.pack("!H", target.start) if target else b""
    return struct.pack("!H", head) + content + end


def multipath(
    fields: int, basis: int, algorithm: int, links: int, argument: int, target: Subfield
) -> RawAction:
    """Write the number of one of several links."""
    body = struct.pack(
        "!HH2xHHI2xH", fields, basis, algorithm, links - 1, argument, ofs_nbits(target)
    )
    return nicira(nicira_ext.NXAST_MULTIPATH, body + _name(target))


def bundle(
    algorithm: int, fields: int, basis: int, members: list[int], target: Subfield | None
) -> RawAction:
    """Send the packet to one of several ports, or write its number into bits."""
    body = struct.pack("!HHH", algorithm, fields, basis)
    body += struct.pack("!IH", nicira_ext.NXM_OF_IN_PORT, len(members))
    body += struct.pack("!H", ofs_nbits(target) if target else 0)
    body += (_name(target) if target else bytes(4)) + bytes(4)
    ports = struct.pack(f"!{len(members)}H", *members)
    subtype = nicira_ext.NXAST_BUNDLE_LOAD if target else nicira_ext.NXAST_BUNDLE
    return nicira(subtype, body + ports)


def sample3(numbers: Mapping[str, int], port: int, direction: int) -> RawAction:
    """Sample packets of one direction (1: as they come in, 2: as they leave)."""
    names = ("probability", "collector_set_id", "obs_domain_id", "obs_point_id")
    body = struct.pack("!HIII", *(numbers[name] for name in names))
    return nicira(_SAMPLE3, body + struct.pack("!HB5x", port, direction))


def controller2(properties: Iterable[tuple[int, bytes]]) -> RawAction:
    """Send the packet to controllers: properties, by NXAC2PT_*."""
    body = b"".join(_property(struct.pack("!H", kind), 2, value) for kind, value in properties)
    return nicira(nicira_ext.NXAST_CONTROLLER2, bytes(6) + body)


def encap(packet_type: int, properties: Iterable[tuple[int, int, bytes]]) -> RawAction:
    """Put a header before the packet; properties have a class and a type (OFPPPC_*, OFPPPT_*)."""
    body = b"".join(
        _property(struct.pack("!HB", kind, each), 1, value) for kind, each, value in properties
    )
    return nicira(_ENCAP, struct.pack("!HI", 0, packet_type) + body)


def decap(packet_type: int) -> RawAction:
    """Take the outer header off; the inner packet has this type."""
    return nicira(_DECAP, struct.pack("!2xI", packet_type))


def _property(kind: bytes, size: int, value: bytes) -> bytes:
    """A property: its kind, its length in `size` bytes, its value, padded to 8 bytes."""
    length = len(kind) + size + len(value)
    content = kind + length.to_bytes(size, "big") + value
    return content.ljust(padded(length), b"\0")


def _name(bits: Subfield) -> bytes:
    return bits.field.nxm.header()
