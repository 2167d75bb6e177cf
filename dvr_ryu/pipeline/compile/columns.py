"""The rows of a relation as columns of bytes: what fills the holes of many flows at once.

A column is one string: the bytes of the first row, then those of the second, and so on. It is made
once for all templates of the relation that have the same hole in a place of the same kind. Which
bytes of a flow it goes into is `template`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from dvr_ryu.pipeline.compile.binding import BridgeContext, field_at, ports_of
from dvr_ryu.pipeline.compile.byte_table import split_rows
from dvr_ryu.pipeline.language.operands import Hole, PortAt, PortName, Unknown
from dvr_ryu.topology.relations import Kind

_OCTETS = {str(number): number for number in range(256)}
"""The numbers of an address: looked up, because to read them takes longer."""


class BitField(NamedTuple):
    """How a number stands in bytes: `bits` of it, `shift` from the right, or'ed to what is fixed
    there.
    """

    width: int
    fixed: int
    shift: int
    bits: int

    def bytes_of(self, number: int) -> bytes:
        """The bytes. What the place has no room for is cut: Nicira's actions have ports, reserved
        ones too, in 16 of 32 bits.
        """
        low = number & ((1 << self.bits) - 1)
        return (self.fixed | low << self.shift).to_bytes(self.width, "big")


class Columns:
    """Rows of one relation, or the one row None, and what else flows are filled from."""

    def __init__(self, rows: Sequence[Any], context: BridgeContext) -> None:
        self.rows = rows
        self.context = context
        self._made: dict[tuple[Unknown, BitField], bytes] = {}
        self._lists: dict[Hole, list[list[int]]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, unknown: Unknown, bit_field: BitField) -> bytes:
        """The unknown's bytes, `form.width` a row. Its ports must exist: see `with_ports`."""
        key = unknown, bit_field
        column = self._made.get(key)
        if column is None:
            column = self._made[key] = self._column(unknown, bit_field)
        return column

    def _column(self, unknown: Unknown, bit_field: BitField) -> bytes:
        ports = self.context.ports
        if isinstance(unknown, PortName):
            return bit_field.bytes_of(ports[unknown.name]) * len(self)
        if isinstance(unknown, PortAt):
            lists = self._port_lists(unknown.ports)
            return b"".join(bit_field.bytes_of(numbers[unknown.index]) for numbers in lists)
        at = field_at(unknown)
        if unknown.relation == "host":
            return _encoded(unknown.kind, bit_field, [self.context.host[at]]) * len(self)
        values = list(map(itemgetter(at), self.rows))
        if unknown.kind is Kind.PORT:
            return _looked_up(
                values, {name: bit_field.bytes_of(ports[name]) for name in set(values)}
            )
        return _encoded(unknown.kind, bit_field, values)

    def with_ports(self, unknowns: Sequence[Unknown]) -> Columns:
        """The rows in which all these unknowns are ports that the bridge has; of a list, one is
        enough.
        """
        lacking = set[int]()
        for unknown in unknowns:
            lacking |= self._lacking(unknown)
        if not lacking:
            return self
        return Columns([row for at, row in enumerate(self.rows) if at not in lacking], self.context)

    def _lacking(self, unknown: Unknown) -> set[int]:
        """The numbers of the rows for which the bridge has no such port."""
        ports = self.context.ports
        if isinstance(unknown, PortName):
            return set() if unknown.name in ports else set(range(len(self)))
        assert isinstance(unknown, Hole)
        if unknown.kind is Kind.PORTS:
            return {at for at, there in enumerate(self._port_lists(unknown)) if not there}
        names = list(map(itemgetter(field_at(unknown)), self.rows))
        if ports.keys() >= set(names):
            return set()
        return {at for at, name in enumerate(names) if name not in ports}

    def by_length(self, hole: Hole | None) -> Iterator[tuple[int, Columns]]:
        """The rows in groups whose lists of ports are of one length; without a list, all of
        them.
        """
        if hole is None:
            yield 0, self
            return
        groups: dict[int, list[Any]] = {}
        for row, numbers in zip(self.rows, self._port_lists(hole), strict=True):
            groups.setdefault(len(numbers), []).append(row)
        for length, rows in groups.items():
            yield length, Columns(rows, self.context)

    def _port_lists(self, hole: Hole) -> list[list[int]]:
        """In each row, the numbers of those ports of a list that the bridge has."""
        lists = self._lists.get(hole)
        if lists is None:
            names = map(itemgetter(field_at(hole)), self.rows)
            lists = self._lists[hole] = [ports_of(each, self.context.ports) for each in names]
        return lists


def _encoded(kind: Kind, bit_field: BitField, values: list[Any]) -> bytes:
    """The bytes of a field's values. All at once is several times as fast as one by one."""
    if kind is Kind.MAC:
        return _placed(bit_field, 6, bytes.fromhex("".join(values).replace(":", "")))
    if kind is Kind.IPV4:
        return _placed(bit_field, 4, bytes(map(_OCTETS.__getitem__, ".".join(values).split("."))))
    # Tags and VNIs: many rows have few of them.
    return _looked_up(values, {value: bit_field.bytes_of(value) for value in set(values)})


def _looked_up(values: list[Any], known: Mapping[Any, bytes]) -> bytes:
    return b"".join(map(known.__getitem__, values))


def _placed(bit_field: BitField, width: int, joined: bytes) -> bytes:
    """Values of `width` bytes each, which stand joined, in their form."""
    if bit_field == BitField(width, 0, 0, 8 * width):
        return joined
    return b"".join(
        bit_field.bytes_of(int.from_bytes(each, "big")) for each in split_rows(joined, width)
    )
