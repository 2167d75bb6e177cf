"""The packets that a flow matches, as bits that can be compared: known ones, and those of a hole.

This module does not know a hole's value. In the flows of one row a hole has one value. So every
answer about two flows holds for every topology.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping

from attrs import frozen

from dvr_ryu.pipeline.language.field_match import FieldMatch
from dvr_ryu.pipeline.language.fields import FIELDS, VLAN_PCP_AT, VLAN_PRESENT, Field
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.operands import Unknown, number

_PARTS = {
    "dl_vlan": ("vlan_tci", 0),
    "vlan_vid": ("vlan_tci", 0),
    "vlan_pcp": ("vlan_tci", VLAN_PCP_AT),
}
"""Fields that are part of another one, and their lowest bit there (ovs-fields(7))."""


@frozen
class Bits:
    """Some bits of a field: those of `mask` have the value `value`."""

    value: int
    mask: int

    def contradict(self, other: Bits) -> bool:
        """Whether no value has both bits."""
        return bool((self.value ^ other.value) & self.mask & other.mask)

    def with_(self, other: Bits) -> Bits:
        """The bits of both."""
        return Bits(self.value | other.value, self.mask | other.mask)


_ANY = Bits(0, 0)


@frozen
class Packets:
    """The packets that a flow matches: by field, the known bits, and the hole that fills it."""

    known: Mapping[str, Bits]
    open: Mapping[str, Unknown]


def is_matched(field: str, mask: int, holes: Container[str]) -> bool:
    """Whether a flow matches on a value of the field, and not only on the field's presence."""
    return field in holes or mask & ~_PRESENT.get(field, 0) != 0


_PRESENT = {
    "vlan_tci": VLAN_PRESENT,
    **{name: field.limit for name, field in FIELDS.items() if field.variable},
}
"""The bit that is 1 if the packet has the field; for a tunnel's option, a bit above its own."""


def packets_of(flow: Flow) -> Packets:
    """The packets that a flow matches."""
    known: dict[str, Bits] = {}
    holes: dict[str, Unknown] = {}
    for match in flow.match:
        field, shift = _PARTS.get(match.field.name, (match.field.name, 0))
        bits = _known_bits(match)
        bits = Bits(bits.value << shift, bits.mask << shift)
        if bits.mask:
            known[field] = known.get(field, _ANY).with_(bits)
        if isinstance(match.value, Unknown):
            holes[field] = match.value
    if known.get("vlan_tci", _ANY).mask & VLAN_PRESENT and not known["vlan_tci"].value:
        known["vlan_tci"] = Bits(0, VLAN_PRESENT)  # Without a tag, its other bits are zero as well.
    return Packets(known, holes)


def _known_bits(match: FieldMatch) -> Bits:
    present = _present(match.field)
    if isinstance(match.value, Unknown):
        return Bits(present, present)
    mask = match.field.limit - 1 if match.mask is None else number(match.mask)
    return Bits((match.value | present) & (mask | present), mask | present)


def _present(field: Field) -> int:
    """The bit that a match on the field also requires."""
    return _PRESENT.get(field.name, field.present)


def take_all(packets: Iterable[Packets]) -> bool:
    """Whether these flows match every packet; flows with holes do not count."""
    return _cover([dict(each.known) for each in packets if not each.open])


def _cover(cubes: list[dict[str, Bits]]) -> bool:
    if any(not cube for cube in cubes):
        return True
    sizes = [sum(bits.mask.bit_count() for bits in cube.values()) for cube in cubes]
    if sum(2.0**-size for size in sizes) < 1:
        return False  # Even if no two cubes shared a packet, they could not hold all.
    smallest = cubes[sizes.index(min(sizes))]
    field, bits = next(iter(smallest.items()))
    bit = 1 << (bits.mask.bit_length() - 1)
    return all(_cover(list(_halves(cubes, field, Bits(value, bit)))) for value in (0, bit))


def _halves(cubes: list[dict[str, Bits]], field: str, half: Bits) -> Iterable[dict[str, Bits]]:
    """The cubes, cut to that half of all packets."""
    for cube in cubes:
        bits = cube.get(field, _ANY)
        if bits.contradict(half):
            continue
        rest = Bits(bits.value & ~half.mask, bits.mask & ~half.mask)
        others = {name: each for name, each in cube.items() if name != field}
        yield {**others, field: rest} if rest.mask else others
