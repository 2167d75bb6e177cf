"""The rows of a relation as columns of bytes, which fill the holes of many flows at once.

A column is one string: the bytes of the first row, then those of the second, and so on. All
templates of the relation share it if they have the same hole in a bit field of the same layout.
`template` knows which bytes of a flow the column goes into.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from dvr_ryu.pipeline.compile.binding import BridgeContext, field_index, port_numbers
from dvr_ryu.pipeline.compile.byte_table import split_rows
from dvr_ryu.pipeline.language.operands import Hole, PortAt, PortName, Unknown
from dvr_ryu.topology.relations import Kind

_OCTETS = {str(number): number for number in range(256)}
"""An address's octets by their text: a look-up is faster than int()."""


class BitField(NamedTuple):
    """Where a number stands within `width` bytes: its lowest `bits` bits are shifted left by
    `shift`, and or'ed to the bytes' `fixed` value.
    """

    width: int
    fixed: int
    shift: int
    bits: int

    def bytes_of(self, number: int) -> bytes:
        """The bytes with the number in them. Higher bits of the number are cut off: Nicira's
        actions hold 16 of a port's 32 bits, also of a reserved port's.
        """
        low = number & ((1 << self.bits) - 1)
        return (self.fixed | low << self.shift).to_bytes(self.width, "big")


class Columns:
    """Rows of one relation, or the one row None, and the context that they share."""

    def __init__(self, rows: Sequence[Any], context: BridgeContext) -> None:
        self.rows = rows
        self.context = context
        self._columns: dict[tuple[Unknown, BitField], bytes] = {}
        self._lists: dict[Hole, list[list[int]]] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def column(self, unknown: Unknown, bit_field: BitField) -> bytes:
        """The unknown's bytes, `bit_field.width` a row. Its ports must exist: see `with_ports`."""
        key = unknown, bit_field
        column = self._columns.get(key)
        if column is None:
            column = self._columns[key] = self._column(unknown, bit_field)
        return column

    def _column(self, unknown: Unknown, bit_field: BitField) -> bytes:
        ports = self.context.ports
        if isinstance(unknown, PortName):
            return bit_field.bytes_of(ports[unknown.name]) * len(self)
        if isinstance(unknown, PortAt):
            lists = self._port_lists(unknown.ports)
            return b"".join(bit_field.bytes_of(numbers[unknown.index]) for numbers in lists)
        at = field_index(unknown)
        if unknown.relation == "host":
            return _encoded(unknown.kind, bit_field, [self.context.host[at]]) * len(self)
        values = list(map(itemgetter(at), self.rows))
        if unknown.kind is Kind.PORT:
            return _concatenated(
                values, {name: bit_field.bytes_of(ports[name]) for name in set(values)}
            )
        return _encoded(unknown.kind, bit_field, values)

    def with_ports(self, unknowns: Sequence[Unknown]) -> Columns:
        """The rows for which the bridge has the ports of all these unknowns. Of a list of ports,
        one is enough.
        """
        missing = set[int]()
        for unknown in unknowns:
            missing |= self._rows_without(unknown)
        if not missing:
            return self
        return Columns([row for at, row in enumerate(self.rows) if at not in missing], self.context)

    def _rows_without(self, unknown: Unknown) -> set[int]:
        """The indexes of the rows for which the bridge lacks the port."""
        ports = self.context.ports
        if isinstance(unknown, PortName):
            return set() if unknown.name in ports else set(range(len(self)))
        assert isinstance(unknown, Hole)
        if unknown.kind is Kind.PORTS:
            return {at for at, numbers in enumerate(self._port_lists(unknown)) if not numbers}
        names = list(map(itemgetter(field_index(unknown)), self.rows))
        if ports.keys() >= set(names):
            return set()
        return {at for at, name in enumerate(names) if name not in ports}

    def by_length(self, hole: Hole | None) -> Iterator[tuple[int, Columns]]:
        """The rows in groups whose lists of ports have one length. Without a hole, all rows are one
        group, of length 0.
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
        """For each row, the numbers of those ports of its list that the bridge has."""
        lists = self._lists.get(hole)
        if lists is None:
            names = map(itemgetter(field_index(hole)), self.rows)
            lists = self._lists[hole] = [port_numbers(each, self.context.ports) for each in names]
        return lists


def _encoded(kind: Kind, bit_field: BitField, values: list[Any]) -> bytes:
    """The bytes of a field's values. All at once is several times as fast as one by one."""
    if kind is Kind.MAC:
        return _shifted(bit_field, 6, bytes.fromhex("".join(values).replace(":", "")))
    if kind is Kind.IPV4:
        return _shifted(bit_field, 4, bytes(map(_OCTETS.__getitem__, ".".join(values).split("."))))
    # Many rows share few tags and VNIs.
    return _concatenated(values, {value: bit_field.bytes_of(value) for value in set(values)})


def _concatenated(values: list[Any], known: Mapping[Any, bytes]) -> bytes:
    return b"".join(map(known.__getitem__, values))


def _shifted(bit_field: BitField, width: int, joined: bytes) -> bytes:
    """The joined values, of `width` bytes each, as the bit field has them."""
    if bit_field == BitField(width, 0, 0, 8 * width):
        return joined
    return b"".join(
        bit_field.bytes_of(int.from_bytes(each, "big")) for each in split_rows(joined, width)
    )
