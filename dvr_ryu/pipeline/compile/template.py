"""Compiles a flow line once: its OpenFlow bytes with all holes zero, and its holes' slots.

A hole's slot is found by a trial: the line is encoded with all holes zero, and again with all bits
of one hole set. The bytes that differ are the slot. Rows then fill the line without Ryu: their
columns of bytes are written over the slots.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise, product
from typing import Any, NamedTuple

from attrs import evolve, frozen

from dvr_ryu.pipeline.compile.binding import BridgeContext, filled_sentence, value_of
from dvr_ryu.pipeline.compile.byte_table import overlay, split_rows
from dvr_ryu.pipeline.compile.columns import PLAIN, BitField, Columns, MaskForm, Shape
from dvr_ryu.pipeline.compile.encode import encode
from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes
from dvr_ryu.pipeline.language.field_match import FieldMatch, normal
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.operands import (
    BITS,
    Hole,
    MaskOf,
    PortAt,
    PortName,
    Unknown,
    fill,
    masked_numbers,
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
    if masked_numbers(flow):
        filled = evolve(filled, match=tuple(part for each in filled.match for part in normal(each)))
    return evolve(filled, sentence=filled_sentence(flow.sentence, row, context.host))


class Template:
    """One flow line, ready to be filled."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._list = port_list(flow)
        self._masked = masked_numbers(flow)
        self.ports = tuple(each for each in unknowns(flow) if _is_port(each))
        """The unknowns that are ports of the bridge."""
        self.parts = cache(self._compile)
        """The identity and the value of flows of a shape. Raises DvrError as `filled`."""

    def compile(self, lengths: Iterable[int]) -> None:
        """Compile the line before its first flow is needed; a line with a list of ports, for lists
        of these lengths; a line with masked numbers, for numbers with all bits and with some.
        Raises DvrError as `filled`.
        """
        forms = (MaskForm.ALL_BITS, MaskForm.SOME_BITS)
        for length in (0,) if self._list is None else lengths:
            for masks in product(forms, repeat=len(self._masked)):
                self.parts(Shape(length, masks))

    def filled(self, columns: Columns) -> Iterator[Filled]:
        """The flows of the rows whose ports the bridge has, in groups. Raises DvrError if a flow is
        longer than OpenFlow allows.
        """
        there = columns.with_ports(self.ports)
        for shape, group in there.by_shape(self._list, self._masked):
            if group:
                identity, value = self.parts(shape)
                yield Filled(self.flow, group, identity.filled(group), value.filled(group))

    def _compile(self, shape: Shape = PLAIN) -> tuple[Part, Part]:
        flow = evolve(self.flow, match=tuple(_shaped(self.flow.match, shape.masks)))
        flow = fill(flow, lambda each: _unrolled(each, shape.ports))
        holes = list(unknowns(flow))
        blank = _encoded_with(flow, [0] * len(holes))
        identity: list[Slot] = []
        value: list[Slot] = []
        for tried, start in _trials(holes):
            values = [_ones(each, start) if at in tried else 0 for at, each in enumerate(holes)]
            probe = _encoded_with(flow, values)
            unknown = [holes[at] for at in tried]
            identity += _slots(blank.identity, probe.identity, unknown, start)
            value += _slots(blank.value, probe.value, unknown, start)
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


def _shaped(match: Iterable[FieldMatch], forms: Sequence[MaskForm]) -> Iterator[FieldMatch]:
    """The match with its masked numbers in these forms."""
    remaining = iter(forms)
    for each in match:
        form = next(remaining) if isinstance(each.mask, MaskOf) else MaskForm.SOME_BITS
        if form is not MaskForm.NO_BITS:
            yield evolve(each, mask=None) if form is MaskForm.ALL_BITS else each


def _unrolled(unknown: Unknown, length: int) -> Unknown | list[Unknown]:
    if isinstance(unknown, Hole) and unknown.kind is Kind.PORTS:
        return [PortAt(unknown, index) for index in range(length)]
    return unknown


_TRIED_BITS = 64
"""The number of bits that are tried at a time: Nicira's actions write wider numbers in pieces."""


def _trials(holes: list[Unknown]) -> Iterator[tuple[list[int], int]]:
    """The holes' positions, in groups that one trial finds, and the lowest bit that it sets: each
    hole alone, but the ports of lists all together. There may be hundreds of them, and other bytes
    stand between any two.
    """
    for at, hole in enumerate(holes):
        if not isinstance(hole, PortAt):
            yield from (([at], start) for start in range(0, _bits(hole), _TRIED_BITS))
    if listed := [at for at, hole in enumerate(holes) if isinstance(hole, PortAt)]:
        yield listed, 0


def _bits(unknown: Unknown) -> int:
    return unknown.bits if isinstance(unknown, Hole | MaskOf) else BITS[Kind.PORT]


def _ones(unknown: Unknown, start: int) -> int:
    width = min(_bits(unknown) - start, _TRIED_BITS)
    return (1 << width) - 1 << start


def _encoded_with(flow: Flow, values: list[int]) -> FlowBytes:
    remaining = iter(values)
    return encode(fill(flow, lambda _: next(remaining)))


def _slots(blank: bytes, probe: bytes, tried: list[Unknown], start: int) -> list[Slot]:
    """The slots of the tried unknowns, in order; none if the other part holds them."""
    runs = list(_runs(int.from_bytes(blank, "big") ^ int.from_bytes(probe, "big")))[::-1]
    assert len(runs) in (0, len(tried)), tried
    return [_slot(blank, unknown, start, *run) for unknown, run in zip(tried, runs, strict=False)]


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


def _slot(blank: bytes, unknown: Unknown, start: int, lowest: int, bits: int) -> Slot:
    begin, end = len(blank) - (lowest + bits + 7) // 8, len(blank) - lowest // 8
    fixed = int.from_bytes(blank[begin:end], "big")
    return Slot(begin, end, unknown, BitField(end - begin, fixed, lowest % 8, bits, start))
