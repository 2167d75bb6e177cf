"""A match on one field, and its normal form: the one that a switch has and prints.

Some fields of ovs-ofctl are forms of other fields (vlan_tci, xreg0, ip_dscp): `normal` replaces
them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from attrs import evolve, frozen

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.fields import FIELDS, VLAN_ID, VLAN_PCP_AT, VLAN_PRESENT, Field
from dvr_ryu.pipeline.language.operands import MaskOf, Operand, Unknown, number, written

_VID_AND_PRESENT = VLAN_ID | VLAN_PRESENT
_SIGNIFICANT_BITS = {"arp_op": 8, "nsh_ttl": 6}
"""The number of lowest bits that Open vSwitch stores."""
_PRINTED = {"vlan_pcp": "dl_vlan_pcp", "vlan_vid": "vlan_tci"}
"""Names that serve every version of OpenFlow."""


@frozen
class FieldMatch:
    """The field must have this value, in the bits of `mask` (None: in all; 0, for a tunnel's
    option: the packet must have it). A masked number's hole has the mask, too.
    """

    field: Field
    value: Operand
    mask: int | MaskOf | None = None

    def __str__(self) -> str:
        field, value = self.field, self.value
        name = _PRINTED.get(field.name, field.name)
        if field.bit_names:
            return f"{name}={field.bit_names.write(number(value), self.whole_mask)}"
        if name == "vlan_tci":
            return f"{name}={number(value):#06x}/{self.whole_mask:#06x}"
        if self.mask == 0:
            return name
        text = f"{name}={written(field.notation, value)}"
        if self.mask is None or isinstance(self.mask, MaskOf):
            return text
        return f"{text}/{self._written_mask(self.mask)}"

    @property
    def whole_mask(self) -> int:
        """The mask, also if all bits are matched."""
        return self.field.all_bits if self.mask is None else number(self.mask)

    def entry(self) -> bytes:
        """The match's OXM. Its hole must be filled."""
        value = number(self.value) | self.field.present
        whole = self.mask is None and not self.field.whole_masked
        return self.field.entry(value, None if whole else self.whole_mask)

    def _written_mask(self, mask: int) -> str:
        outside = self.field.all_bits & ~mask
        if self.field.notation in (numbers.IPV4, numbers.IPV6) and not outside & (outside + 1):
            return str(self.field.bits - outside.bit_length())
        return self.field.notation.write(mask)


def normal(match: FieldMatch) -> list[FieldMatch]:
    """The match in the fields that a switch has; empty if it matches every packet.

    Raises ValueError for a match that OpenFlow 1.3 and 1.4 cannot carry.
    """
    if isinstance(match.value, Unknown) and match.field.name in _OF_NUMBERS:
        raise ValueError(f"{match.field.name} takes no hole: write its number")
    if isinstance(match.mask, MaskOf):
        return [match]
    mask = match.whole_mask
    if isinstance(match.value, int):
        whole = mask == match.field.all_bits
        match = evolve(match, value=match.value & mask, mask=None if whole else mask)
    if not mask and not match.field.variable:
        return []
    return _RULES.get(match.field.name, _as_it_is)(match)


def _as_it_is(match: FieldMatch) -> list[FieldMatch]:
    return [match]


def _in_port(match: FieldMatch) -> list[FieldMatch]:
    return [evolve(match, field=FIELDS["in_port"])]


def _vlan_vid(match: FieldMatch) -> list[FieldMatch]:
    """A whole tag with the bit 0x1000 is dl_vlan, and so is a hole."""
    if not isinstance(match.value, int):
        return [FieldMatch(FIELDS["dl_vlan"], match.value)]
    if match.mask is None and match.value & VLAN_PRESENT:
        return [FieldMatch(FIELDS["dl_vlan"], match.value & ~VLAN_PRESENT)]
    return [match]


def _vlan_tci(match: FieldMatch) -> list[FieldMatch]:
    value, mask = number(match.value), match.whole_mask
    vid = normal(FieldMatch(FIELDS["vlan_vid"], value & _VID_AND_PRESENT, mask & _VID_AND_PRESENT))
    priority = mask >> VLAN_PCP_AT
    if not priority or (match.mask is None and not value):
        return vid
    if priority != FIELDS["vlan_pcp"].all_bits or not value & VLAN_PRESENT:
        raise ValueError(
            "OpenFlow 1.4 matches a tag's priority only whole, and only with a tag (0x1000/0x1000)"
        )
    return [*vid, FieldMatch(FIELDS["vlan_pcp"], value >> VLAN_PCP_AT)]


def _dscp(match: FieldMatch) -> list[FieldMatch]:
    return [FieldMatch(FIELDS["nw_tos"], number(match.value) << FIELDS["nw_tos"].below)]


def _tos(match: FieldMatch) -> list[FieldMatch]:
    below = FIELDS["nw_tos"].below
    return [evolve(match, value=number(match.value) >> below << below)]


def _packet_type(match: FieldMatch) -> list[FieldMatch]:
    """An ordinary bridge has Ethernet packets only."""
    return [match] if match.value else []


def _short(match: FieldMatch) -> list[FieldMatch]:
    bits = _SIGNIFICANT_BITS[match.field.name]
    if number(match.value) >> bits:
        raise ValueError(f"Open vSwitch keeps {bits} bits of {match.field.name}")
    return [match]


def _ct_proto(match: FieldMatch) -> list[FieldMatch]:
    if match.value == 0:
        raise ValueError("Open vSwitch takes ct_nw_proto=0 for any protocol; leave it out")
    return [match]


def _switch_internal(match: FieldMatch) -> list[FieldMatch]:
    """recirc_id and dp_hash. Only recirc_id=0 can be matched: the packet was not recirculated."""
    if match.field.name == "recirc_id" and match.value == 0:
        return [match]
    raise ValueError(f"only Open vSwitch itself may match {match}")


def _dumped_wrongly(match: FieldMatch) -> list[FieldMatch]:
    """Open vSwitch 3.1 dumps such a match with its value as the mask."""
    if match.value == match.mask:
        return [match]
    raise ValueError(
        f"Open vSwitch dumps a match of {match.field.name} wrongly: the dump does not show "
        "whether the flow is installed"
    )


def _option(match: FieldMatch) -> list[FieldMatch]:
    """An option has one or more words of 32 bits. A match without a mask matches all of them."""
    mask = number(match.mask or 0)
    if mask and not mask & (mask + 1) and not mask.bit_length() % 32:
        raise ValueError(
            "ovs-ofctl drops this mask and matches the whole option, which may be longer: "
            "leave the mask out, or match other bits"
        )
    return [match]


def _registers(match: FieldMatch) -> list[FieldMatch]:
    """A large register is several small ones; the first has the highest bits."""
    count = match.field.bits // 32
    first = count * int(match.field.name.lstrip("xreg"))
    parts = []
    for at in range(count):
        shift = 32 * (count - 1 - at)
        value, mask = (
            each >> shift & 0xFFFFFFFF for each in (number(match.value), match.whole_mask)
        )
        parts += normal(FieldMatch(FIELDS[f"reg{first + at}"], value, mask))
    return parts


_DUMPED_WRONGLY = (
    "tun_erspan_ver", "tun_erspan_dir", "tun_erspan_hwid", "tun_gtpu_flags", "tun_gtpu_msgtype"
)  # fmt: skip

_RULES: dict[str, Callable[[FieldMatch], list[FieldMatch]]] = {
    "in_port_oxm": _in_port,
    "vlan_vid": _vlan_vid,
    "vlan_tci": _vlan_tci,
    "ip_dscp": _dscp,
    "nw_tos": _tos,
    "packet_type": _packet_type,
    **dict.fromkeys(_SIGNIFICANT_BITS, _short),
    "ct_nw_proto": _ct_proto,
    "recirc_id": _switch_internal,
    "dp_hash": _switch_internal,
    **dict.fromkeys(_DUMPED_WRONGLY, _dumped_wrongly),
    **{name: _registers for name in FIELDS if name.startswith("x")},
    **{name: _option for name, field in FIELDS.items() if field.variable},
}


_OF_NUMBERS = {
    "vlan_tci",
    "ip_dscp",
    "nw_tos",
    *_SIGNIFICANT_BITS,
    *(name for name in FIELDS if name.startswith("x")),
}
"""Fields whose form depends on the number."""


_TRACKED, _INVALID = 0x20, 0x10
_IN_CONNECTION = 0x0F
"""ct_state's bits new, est, rel and rpl: each implies a connection."""


def connection_known(matches: Iterable[FieldMatch]) -> bool:
    """Whether the matches exclude packets without a connection, as Open vSwitch checks it."""
    for each in matches:
        if each.field.name == "ct_state":
            value = number(each.value)
            valid = value & _TRACKED and each.whole_mask & _INVALID and not value & _INVALID
            return bool(value & _IN_CONNECTION or valid)
    return False


def no_vlan() -> FieldMatch:
    """The match of packets without a VLAN tag."""
    return FieldMatch(FIELDS["vlan_vid"], 0)


def tagged() -> FieldMatch:
    """The match of packets with any VLAN tag."""
    return FieldMatch(FIELDS["vlan_vid"], VLAN_PRESENT, VLAN_PRESENT)
