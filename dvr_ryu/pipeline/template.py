"""A flow line compiled once: its OpenFlow bytes, through Ryu's classes, and the places of its holes
in them.

A hole's place is found by trying: the line is compiled with all holes zero, and again with one
hole's bits set; where the bytes differ, the hole is. Filling a row then only writes numbers into a
copy of the bytes.
"""

from __future__ import annotations

import struct
from functools import cache
from typing import Any

from attrs import frozen

from dvr_ryu.errors import DvrError
from dvr_ryu.pipeline.binding import BITS, Getter, Ports, getter
from dvr_ryu.pipeline.flow import Flow
from dvr_ryu.pipeline.operands import Hole, PortAt, Unknown, fill, port_list, unknowns
from dvr_ryu.pipeline.wire import WireFlow, split_flow_mod
from dvr_ryu.topology.relations import Kind, ThisHost


@frozen
class _Slot:
    """Bytes start:end of a part take a number, or'ed to what stands there (`fixed`)."""

    start: int
    end: int
    fixed: int
    number: Getter


@frozen
class _Part:
    """Identity or value: the bytes with all holes zero, and the holes' slots."""

    blank: bytes
    slots: tuple[_Slot, ...]

    def filled(self, row: Any, host: ThisHost, ports: Ports) -> bytes:
        if not self.slots:
            return self.blank
        content = bytearray(self.blank)
        for slot in self.slots:
            number = slot.fixed | slot.number(row, host, ports)
            content[slot.start : slot.end] = number.to_bytes(slot.end - slot.start, "big")
        return bytes(content)


class Template:
    """One flow line, ready to be filled."""

    def __init__(self, flow: Flow) -> None:
        self.flow = flow
        self._ports = port_list(flow)
        self._count = getter(self._ports) if self._ports else None
        self._compiled = cache(self._compile)

    def filled(self, row: Any, host: ThisHost, ports: Ports) -> WireFlow:
        """The flow for one row. Raises NoSuchPort where the bridge lacks a port that the line
        names, DvrError where the flow is longer than OpenFlow allows.
        """
        length = len(self._count(row, host, ports)) if self._count else 0
        identity, value = self._compiled(length)
        return WireFlow(identity.filled(row, host, ports), value.filled(row, host, ports))

    def _compile(self, length: int) -> tuple[_Part, _Part]:
        """The two parts, where the line's list of ports (if it has one) is `length` long."""
        flow = fill(self.flow, lambda each: _unrolled(each, length))
        holes = list(unknowns(flow))
        blank = _built(flow, [0] * len(holes))
        identity: list[_Slot] = []
        value: list[_Slot] = []
        for at, hole in enumerate(holes):
            ones = [0] * len(holes)
            ones[at] = (1 << _bits(hole)) - 1
            probe = _built(flow, ones)
            identity += _slots(blank.identity, probe.identity, hole)
            value += _slots(blank.value, probe.value, hole)
        return _Part(blank.identity, tuple(identity)), _Part(blank.value, tuple(value))


def _unrolled(unknown: Unknown, length: int) -> Unknown | list[Unknown]:
    if isinstance(unknown, Hole) and unknown.kind is Kind.PORTS:
        return [PortAt(unknown, index) for index in range(length)]
    return unknown


def _bits(unknown: Unknown) -> int:
    return BITS[unknown.kind] if isinstance(unknown, Hole) else BITS[Kind.PORT]


def _built(flow: Flow, values: list[int]) -> WireFlow:
    remaining = iter(values)
    message = fill(flow, lambda _: next(remaining)).build()
    message.xid = 0
    try:
        message.serialize()
    except struct.error as error:
        raise _too_long(flow) from error
    return split_flow_mod(bytes(message.buf))


def _too_long(flow: Flow) -> DvrError:
    """An OpenFlow message counts its bytes in 16 bits, and so do its parts: no other number that a
    line may hold is too large for its place.
    """
    return DvrError(f"{flow.place}: the flow does not fit into a message of 64 KiB")


def _slots(blank: bytes, probe: bytes, hole: Unknown) -> list[_Slot]:
    differing = [at for at in range(len(blank)) if blank[at] != probe[at]]
    if not differing:
        return []
    start, end = differing[0], differing[-1] + 1
    fixed, number = int.from_bytes(blank[start:end], "big"), getter(hole)
    wide = 8 * (end - start)
    return [_Slot(start, end, fixed, number if _bits(hole) <= wide else _cut(number, wide))]


def _cut(number: Getter, bits: int) -> Getter:
    """The number's lowest bits: Nicira's actions have ports, reserved ones too, in 16 of 32."""
    return lambda row, host, ports: number(row, host, ports) & ((1 << bits) - 1)
