"""A flow line, compiled once: its OpenFlow bytes with all holes zero, and the slots of its holes.

A hole's slot is found by a trial: the line is encoded with all holes zero, and again with all bits
of one hole set. The bytes that differ are the slot. Rows then fill the line without Ryu: their
columns of bytes are written over the slots.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any, NamedTuple

from attrs import evolve, frozen

from dvr_ryu.pipeline.compile.binding import BridgeContext, filled_sentence, value_of
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
    """The flows that one line makes of some rows: identities and values, in the rows' order."""

    flow: Flow
    columns: Columns
    identities: Sequence[bytes]
    values: Sequence[bytes]

    def flow_at(self, at: int) -> Flow:
        """The flow of the row at this index, as a value that can be printed."""
        return filled_flow(self.flow, self.columns.rows[at], self.columns.context)


def filled_flow(flow: Flow, row: Any, context: BridgeContext) -> Flow:
    """The flow of one row, with its sentence. Raises NoSuchPort if the flow names a port that the
    bridge lacks.
    """
    filled = fill(flow, lambda unknown: value_of(unknown, row, context))
    return evolve(filled, sentence=filled_sentence(flow.sentence, row, context.host))


class Template:
    """One flow line, ready to be filled."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._list = port_list(flow)
        self.ports = tuple(each for each in unknowns(flow) if _is_port(each))
        """The unknowns that are ports of the bridge."""
        self.parts = cache(self._compile)
        """The identity and the value with the line's list of ports, if it has one, this long.
        Raises DvrError as `filled`.
        """

    def compile(self, lengths: Iterable[int]) -> None:
        """Compile the line now and not with its first flow; a line with a list of ports, for lists
        of these lengths. Raises DvrError as `filled`.
        """
        for length in (0,) if self._list is None else lengths:
            self.parts(length)

    def filled(self, columns: Columns) -> Iterator[Filled]:
        """The flows of the rows whose ports the bridge has, in groups. Raises DvrError if a flow is
        longer than OpenFlow allows.
        """
        for length, group in columns.with_ports(self.ports).by_length(self._list):
            if group:
                identity, value = self.parts(length)
                yield Filled(self.flow, group, identity.filled(group), value.filled(group))

    def _compile(self, length: int) -> tuple[Part, Part]:
        flow = fill(self.flow, lambda each: _unrolled(each, length))
        holes = list(unknowns(flow))
        blank = _encoded_with(flow, [0] * len(holes))
        identity: list[Slot] = []
        value: list[Slot] = []
        for tried in _tried_together(holes):
            values = [_all_ones(each) if at in tried else 0 for at, each in enumerate(holes)]
            probe = _encoded_with(flow, values)
            unknown = [holes[at] for at in tried]
            identity += _slots(blank.identity, probe.identity, unknown)
            value += _slots(blank.value, probe.value, unknown)
        return _part(blank.identity, identity), _part(blank.value, value)


class Slot(NamedTuple):
    """Bytes start:end of a part hold an unknown's number, in a bit field."""

    start: int
    end: int
    unknown: Unknown
    bit_field: BitField


@frozen
class Part:
    """A flow's identity or value: bytes with all holes zero, and its slots, from left to right."""

    pattern: bytes
    slots: tuple[Slot, ...]

    def filled(self, columns: Columns) -> Sequence[bytes]:
        """The part of every row."""
        filling = [
            (slot.start, columns.column(slot.unknown, slot.bit_field)) for slot in self.slots
        ]
        return split_rows(overlay(self.pattern, len(columns), filling), len(self.pattern))


def _part(pattern: bytes, slots: list[Slot]) -> Part:
    slots.sort()
    assert all(one.end <= other.start for one, other in pairwise(slots)), slots
    return Part(pattern, tuple(slots))


def _is_port(unknown: Unknown) -> bool:
    return isinstance(unknown, PortName) or (
        isinstance(unknown, Hole) and unknown.kind in (Kind.PORT, Kind.PORTS)
    )


def _unrolled(unknown: Unknown, length: int) -> Unknown | list[Unknown]:
    if isinstance(unknown, Hole) and unknown.kind is Kind.PORTS:
        return [PortAt(unknown, index) for index in range(length)]
    return unknown


def _tried_together(holes: list[Unknown]) -> list[list[int]]:
    """The holes' positions, in groups that one trial finds: each hole alone, but the ports of lists
    all together. There may be hundreds of them, and other bytes stand between any two.
    """
    alone = [[at] for at, hole in enumerate(holes) if not isinstance(hole, PortAt)]
    listed = [at for at, hole in enumerate(holes) if isinstance(hole, PortAt)]
    return [*alone, listed] if listed else alone


def _all_ones(unknown: Unknown) -> int:
    bits = BITS[unknown.kind] if isinstance(unknown, Hole) else BITS[Kind.PORT]
    return (1 << bits) - 1


def _encoded_with(flow: Flow, values: list[int]) -> FlowBytes:
    remaining = iter(values)
    return encode(fill(flow, lambda _: next(remaining)))


def _slots(blank: bytes, probe: bytes, tried: list[Unknown]) -> list[Slot]:
    """The slots of the tried unknowns, in order; none if the other part holds them."""
    runs = list(_runs(int.from_bytes(blank, "big") ^ int.from_bytes(probe, "big")))[::-1]
    assert len(runs) in (0, len(tried)), tried
    return [_slot(blank, unknown, *run) for unknown, run in zip(tried, runs, strict=False)]


def _runs(bits: int) -> Iterator[tuple[int, int]]:
    """Runs of ones, from the right: the distance of each from the right end, and its length."""
    offset = 0
    while bits:
        skipped = (bits & -bits).bit_length() - 1
        bits >>= skipped
        length = (~bits & (bits + 1)).bit_length() - 1
        yield offset + skipped, length
        bits >>= length
        offset += skipped + length


def _slot(blank: bytes, unknown: Unknown, lowest: int, bits: int) -> Slot:
    start, end = len(blank) - (lowest + bits + 7) // 8, len(blank) - lowest // 8
    fixed = int.from_bytes(blank[start:end], "big")
    return Slot(start, end, unknown, BitField(end - start, fixed, lowest % 8, bits))
