"""Reads and writes the language's fields in a packet's fields, also parts of others.

A VLAN tag is held as `vlan_tci`; dl_vlan, vlan_vid and vlan_pcp are parts of it. A large register
is several small ones. This module knows no flow and no action.
"""

from __future__ import annotations

from dvr_ryu.pipeline.language.fields import FIELDS, VLAN_ID, VLAN_PCP_AT, VLAN_PRESENT, Subfield
from dvr_ryu.pipeline.language.numbers import long_port

Fields = dict[str, int]
"""The fields of a packet, by name. They are changed here, and nowhere else."""

_DSCP_AT = 2
_REGISTER_BITS = 32


def get(fields: Fields, name: str) -> int:
    """A field's number, 0 if the packet lacks it."""
    match name:
        case "dl_vlan":
            return fields.get("vlan_tci", 0) & VLAN_ID
        case "vlan_vid":
            return fields.get("vlan_tci", 0) & (VLAN_ID | VLAN_PRESENT)
        case "vlan_pcp":
            return fields.get("vlan_tci", 0) >> VLAN_PCP_AT
        case "ip_dscp":
            return fields.get("nw_tos", 0) >> _DSCP_AT
        case "in_port_oxm":
            return fields.get("in_port", 0)
    if name.startswith("x"):
        value = 0
        for part in _registers(name):
            value = value << _REGISTER_BITS | fields.get(part, 0)
        return value
    return fields.get(name, 0)


def put(fields: Fields, name: str, value: int) -> None:
    """Write a field."""
    match name:
        case "dl_vlan":
            _put_tci(fields, fields.get("vlan_tci", 0) & ~VLAN_ID | value | VLAN_PRESENT)
        case "vlan_vid":
            _put_tci(fields, fields.get("vlan_tci", 0) & ~(VLAN_ID | VLAN_PRESENT) | value)
        case "vlan_pcp":
            vid = fields.get("vlan_tci", 0) & VLAN_ID
            _put_tci(fields, vid | value << VLAN_PCP_AT | VLAN_PRESENT)
        case "vlan_tci":
            _put_tci(fields, value)
        case "ip_dscp":
            fields["nw_tos"] = value << _DSCP_AT
        case "in_port" | "in_port_oxm":
            fields["in_port"] = value
        case _ if name.startswith("x"):
            parts = _registers(name)
            for at, part in enumerate(reversed(parts)):
                fields[part] = value >> _REGISTER_BITS * at & ((1 << _REGISTER_BITS) - 1)
        case _:
            fields[name] = value


def _put_tci(fields: Fields, tci: int) -> None:
    if tci:
        fields["vlan_tci"] = tci
    else:
        fields.pop("vlan_tci", None)


def _registers(name: str) -> list[str]:
    """The small registers of a large one, that with the highest bits first."""
    count = FIELDS[name].bits // _REGISTER_BITS
    first = count * int(name.lstrip("xreg"))
    return [f"reg{first + at}" for at in range(count)]


def get_bits(fields: Fields, bits: Subfield) -> int:
    """The number in some bits of a field, as Nicira's actions read them."""
    value = get(fields, bits.field.name)
    return value >> bits.start & ((1 << bits.width) - 1)


def put_bits(fields: Fields, bits: Subfield, value: int) -> None:
    """Write some bits of a field, as Nicira's actions do: in_port has 16 bits there."""
    mask = (1 << bits.width) - 1 << bits.start
    name = bits.field.name
    whole = get(fields, name) & ~mask | value << bits.start & mask
    put(fields, name, long_port(whole) if name == "in_port" else whole)
