"""A flow line compiled once: its OpenFlow bytes, through Ryu's classes, and the places of its holes
in them.

A hole's place is found by trying: the line is compiled with all holes zero, and again with one
hole's bits set; where the bytes differ, the hole is. Filling many rows then only lays columns of
bytes over what stays the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from attrs import evolve, frozen

from dvr_ryu.pipeline.compile.binding import BridgeContext, said, value_of
from dvr_ryu.pipeline.compile.byte_table import overlay, split_rows
from dvr_ryu.pipeline.compile.columns import BitField, Columns
from dvr_ryu.pipeline.compile.encode import encode
from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.operands import (
    BITS,
    Hole,
    PortAt,
    PortName,
    Unknown,
    fill,
    port_list,
    unknowns,
)
from dvr_ryu.topology.relations import Kind


class Filled(NamedTuple):
    """The flows that one line makes of some rows: in the order of the rows, identities and
    values.
    """

    flow: Flow
    columns: Columns
    identities: Sequence[bytes]
    values: Sequence[bytes]

    def flow_at(self, at: int) -> Flow:
        """One of them as a value that can be printed. Made only when it is asked for."""
        return filled_flow(self.flow, self.columns.rows[at], self.columns.context)


def filled_flow(flow: Flow, row: Any, context: BridgeContext) -> Flow:
    """The flow of one row, and its sentence. Raises NoSuchPort where the bridge lacks a port that
    it names.
    """
    filled = fill(flow, lambda unknown: value_of(unknown, row, context))
    return evolve(filled, sentence=said(flow.sentence, row, context.host))


class Template:
    """One flow line, ready to be filled."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._list = port_list(flow)
        self.ports = tuple(each for each in unknowns(flow) if _is_port(each))
        """The unknowns that are ports of the bridge."""
        self._compiled = cache(self._compile)

    def compile(self, lengths: Iterable[int]) -> None:
        """Compile the line now, rather than with the first flow; if it has a list of ports, for
        lists of these lengths. Raises DvrError as `filled`.
        """
        for length in (0,) if self._list is None else lengths:
            self._compiled(length)

    def filled(self, columns: Columns) -> Iterator[Filled]:
        """The flows of the rows whose ports the bridge has, in groups. Raises DvrError where a flow
        is longer than OpenFlow allows.
        """
        for length, group in columns.with_ports(self.ports).by_length(self._list):
            if group:
                identity, value = self._compiled(length)
                yield Filled(self.flow, group, identity.filled(group), value.filled(group))

    def _compile(self, length: int) -> tuple[_Part, _Part]:
        """The two parts, where the line's list of ports (if it has one) is `length` long."""
        flow = fill(self.flow, lambda each: _unrolled(each, length))
        holes = list(unknowns(flow))
        blank = _built(flow, [0] * len(holes))
        identity: list[_Slot] = []
        value: list[_Slot] = []
        for tried in _tried_together(holes):
            values = [_ones(each) if at in tried else 0 for at, each in enumerate(holes)]
            probe = _built(flow, values)
            unknown = [holes[at] for at in tried]
            identity += _slots(blank.identity, probe.identity, unknown)
            value += _slots(blank.value, probe.value, unknown)
        return _part(blank.identity, identity), _part(blank.value, value)


class _Slot(NamedTuple):
    """Bytes start:end of a part are an unknown's, in a form."""

    start: int
    end: int
    unknown: Unknown
    bit_field: BitField


@frozen
class _Part:
    """Identity or value: its bytes where all holes are zero, and its slots."""

    blank: bytes
    slots: tuple[_Slot, ...]

    def filled(self, columns: Columns) -> Sequence[bytes]:
        """The part of every row."""
        laying = ((slot.start, columns.of(slot.unknown, slot.bit_field)) for slot in self.slots)
        return split_rows(overlay(self.blank, len(columns), laying), len(self.blank))


def _part(blank: bytes, slots: list[_Slot]) -> _Part:
    slots.sort()
    assert all(one.end <= other.start for one, other in pairwise(slots)), slots
    return _Part(blank, tuple(slots))


def _is_port(unknown: Unknown) -> bool:
    return isinstance(unknown, PortName) or (
        isinstance(unknown, Hole) and unknown.kind in (Kind.PORT, Kind.PORTS)
    )


def _unrolled(unknown: Unknown, length: int) -> Unknown | list[Unknown]:
    if isinstance(unknown, Hole) and unknown.kind is Kind.PORTS:
        return [PortAt(unknown, index) for index in range(length)]
    return unknown


def _tried_together(holes: list[Unknown]) -> list[list[int]]:
    """The holes' positions, one by one; but the ports of lists, which other bytes keep apart, all
    at once: there may be hundreds.
    """
    alone = [[at] for at, hole in enumerate(holes) if not isinstance(hole, PortAt)]
    listed = [at for at, hole in enumerate(holes) if isinstance(hole, PortAt)]
    return [*alone, listed] if listed else alone


def _ones(unknown: Unknown) -> int:
    bits = BITS[unknown.kind] if isinstance(unknown, Hole) else BITS[Kind.PORT]
    return (1 << bits) - 1


def _built(flow: Flow, values: list[int]) -> FlowBytes:
    remaining = iter(values)
    return encode(fill(flow, lambda _: next(remaining)))


def _slots(blank: bytes, probe: bytes, tried: list[Unknown]) -> list[_Slot]:
    """Where the bits differ: the places, in order, of the unknowns that were tried, or of none."""
    runs = list(_runs(int.from_bytes(blank, "big") ^ int.from_bytes(probe, "big")))[::-1]
    assert len(runs) in (0, len(tried)), tried
    return [_slot(blank, unknown, *run) for unknown, run in zip(tried, runs, strict=False)]


def _runs(bits: int) -> Iterator[tuple[int, int]]:
    """Runs of ones, from the right: how far each is from the right end, and its length."""
    offset = 0
    while bits:
        skipped = (bits & -bits).bit_length() - 1
        bits >>= skipped
        length = (~bits & (bits + 1)).bit_length() - 1
        yield offset + skipped, length
        bits >>= length
        offset += skipped + length


def _slot(blank: bytes, unknown: Unknown, lowest: int, bits: int) -> _Slot:
    start, end = len(blank) - (lowest + bits + 7) // 8, len(blank) - lowest // 8
    fixed = int.from_bytes(blank[start:end], "big")
    return _Slot(start, end, unknown, BitField(end - start, fixed, lowest % 8, bits))
