"""The addresses and numbers that lines of flows/ name as such, without a hole. Pure.

A line with a literal treats the machines that the literal fits unlike others, so such machines are
alike only among themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import field, frozen

from dvr_ryu.pipeline.language.actions.learn import LearnLoad, LearnMatch
from dvr_ryu.pipeline.language.actions.output import Enqueue, Output, OutputCut
from dvr_ryu.pipeline.language.actions.resubmit import Resubmit
from dvr_ryu.pipeline.language.actions.set_field import Load, SetField
from dvr_ryu.pipeline.language.actions.vlan import ModVlanVid
from dvr_ryu.pipeline.language.field_match import FieldMatch
from dvr_ryu.pipeline.language.fields import Field, Subfield
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.operands import nodes
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.topology.relations import Kind
from dvr_ryu.trace.kernel.addresses import ip_number, mac_number

_TAG = 0xFFF
_VNI = (1 << 64) - 1
_GROUP_BIT = 1 << 40
"""The bit of a MAC that is 0 in each machine's own."""
_FIRST_GROUP = 0xE0000000
"""The first IPv4 address that is no machine's."""
_FIRST_RESERVED = 0xFF00
"""The first number that is no port's own."""
_SMALL = 1 << 24
"""Actions' numbers from here on may be addresses; smaller ones are ports, bits and the like."""


@frozen
class Literals:
    """Each kind of literal, as pairs of a value and a mask; and the numbers that actions name."""

    macs: tuple[tuple[int, int], ...] = ()
    ips: tuple[tuple[int, int], ...] = ()
    tags: frozenset[int] = field(factory=frozenset)
    vnis: tuple[tuple[int, int], ...] = ()
    ofports: frozenset[int] = field(factory=frozenset)

    @property
    def name_machines(self) -> bool:
        """Whether a literal can fit one machine and not another."""
        return bool(self.macs or self.ips or self.ofports)

    def of_mac(self, mac: str) -> tuple[bool, ...]:
        """Which of the literals fit a MAC."""
        return _fitting(self.macs, mac_number(mac)) if self.macs else ()

    def of_ip(self, ip: str) -> tuple[bool, ...]:
        """Which of the literals fit an IPv4 address."""
        return _fitting(self.ips, ip_number(ip)) if self.ips else ()

    def of_vni(self, vni: int) -> tuple[bool, ...]:
        """Which of the literals fit a VNI."""
        return _fitting(self.vnis, vni)

    def of_tag(self, tag: int) -> int | None:
        """The tag, if a line names it."""
        return tag if tag in self.tags else None

    def of_ofport(self, ofport: int) -> int | None:
        """The port's number, if a line names it."""
        return ofport if ofport in self.ofports else None


def _fitting(pairs: tuple[tuple[int, int], ...], value: int) -> tuple[bool, ...]:
    return tuple(value & mask == literal for literal, mask in pairs)


def literals(pipelines: Iterable[Pipeline]) -> Literals:
    """The literals of all lines."""
    flows = [flow for pipeline in pipelines for _, flow in pipeline.flows()]
    matched = [each for flow in flows for each in flow.match if isinstance(each.value, int)]
    large = {number for flow in flows for number in _numbers(flow) if number >= _SMALL}
    whole = {(number, (1 << 48) - 1) for number in large}
    vnis = _written(flows, Kind.VNI)

    def numbers(kind: Kind) -> set[int]:
        return {*(value for value, _ in _pairs(matched, kind)), *_written(flows, kind)}

    return Literals(
        macs=_sorted(each for each in {*_pairs(matched, Kind.MAC), *whole} if _divides(each)),
        ips=_sorted(
            each for each in {*_pairs(matched, Kind.IPV4), *whole} if each[0] < _FIRST_GROUP
        ),
        tags=frozenset(number & _TAG for number in numbers(Kind.VLAN)),
        vnis=_sorted({*_pairs(matched, Kind.VNI), *((each, _VNI) for each in vnis)}),
        ofports=frozenset(number for number in numbers(Kind.PORT) if number < _FIRST_RESERVED),
    )


def _pairs(matched: Iterable[FieldMatch], kind: Kind) -> Iterator[tuple[int, int]]:
    for each in matched:
        if _kind(each.field) is kind:
            assert isinstance(each.value, int)
            yield each.value & each.whole_mask, each.whole_mask


def _divides(pair: tuple[int, int]) -> bool:
    """Whether a MAC's literal can fit some machines and not others."""
    value, mask = pair
    return mask != _GROUP_BIT and not value & _GROUP_BIT and 1 << 32 <= value < 1 << 48


def _numbers(flow: Flow) -> Iterator[int]:
    return (each for each in nodes(flow.actions) if isinstance(each, int))


def _written(flows: Iterable[Flow], kind: Kind) -> Iterator[int]:
    """The numbers of a kind that actions write, and those that learned flows match or write."""
    for flow in flows:
        for action in nodes(flow.actions):
            match action:
                case ModVlanVid(tag=int(number)):
                    written: Kind | None = Kind.VLAN
                case (
                    Output(port=int(number))
                    | OutputCut(port=int(number))
                    | Enqueue(port=int(number))
                    | Resubmit(port=int(number))
                ):
                    written = Kind.PORT
                case (
                    SetField(field=Field() as target, value=int(number))
                    | Load(target=Subfield(field=target), value=int(number))
                    | LearnLoad(target=Subfield(field=target), source=int(number))
                    | LearnMatch(target=Subfield(field=target), source=int(number))
                ):
                    written = _kind(target)
                case _:
                    continue
            if written is kind:
                yield number


def _kind(target: Field) -> Kind | None:
    """The kind of a field's numbers. The tag is a part of vlan_tci."""
    return Kind.VLAN if target.name == "vlan_tci" else target.kind


def _sorted(pairs: Iterable[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted(pairs))
