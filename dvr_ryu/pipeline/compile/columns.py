"""Turns the rows of a relation into columns of bytes, which fill holes of many flows at once.

A column is one string: the bytes of the first row, then those of the second, and so on. All
templates of the relation share it if they have the same hole in a bit field of the same layout.
`template` knows the bytes of a flow for the column.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from ipaddress import IPv6Address
from operator import itemgetter
from typing import Any, NamedTuple

from dvr_ryu.pipeline.compile.binding import BridgeContext, field_index, masked_value, port_numbers
from dvr_ryu.pipeline.compile.byte_table import split_rows
from dvr_ryu.pipeline.language.operands import Hole, MaskOf, PortAt, PortName, Unknown
from dvr_ryu.topology.relations import Kind, MaskedNumber

_OCTETS = {str(number): number for number in range(256)}
"""An address's octets by their text: a look-up is faster than int()."""


class BitField(NamedTuple):
    """The position of a number within `width` bytes: `bits` of its bits, from bit `start` on, are
    shifted left by `shift`, and or'ed to the bytes' `fixed` value.
    """

    width: int
    fixed: int
    shift: int
    bits: int
    start: int = 0

    def bytes_of(self, number: int) -> bytes:
        """The bytes with the number in them. Higher bits of the number are cut off: Nicira's
        actions hold 16 of a port's 32 bits, also of a reserved port's.
        """
        some = number >> self.start & ((1 << self.bits) - 1)
        return (self.fixed | some << self.shift).to_bytes(self.width, "big")


class MaskForm(Enum):
    """OpenFlow's forms of a match with a mask."""

    NO_BITS = "not at all"
    SOME_BITS = "with its mask"
    ALL_BITS = "without a mask"


class Shape(NamedTuple):
    """Flows of a line have the same bytes but for their slots if they have one shape: the length of
    the line's list of ports, and the forms of its masked numbers, from left to right.
    """

    ports: int = 0
    masks: tuple[MaskForm, ...] = ()


PLAIN = Shape()
"""The only shape of a line without a list of ports and without masked numbers."""


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
        if isinstance(unknown, MaskOf):
            masks = [each.mask for each in self._values(unknown.masked)]
            return _concatenated(masks, {mask: bit_field.bytes_of(mask) for mask in set(masks)})
        at = field_index(unknown)
        if unknown.relation == "host":
            return _encoded(unknown.kind, bit_field, [self.context.host[at]]) * len(self)
        values = self._values(unknown)
        if unknown.kind is Kind.PORT:
            return _concatenated(
                values, {name: bit_field.bytes_of(ports[name]) for name in set(values)}
            )
        return _encoded(unknown.kind, bit_field, values)

    def _values(self, hole: Hole) -> list[Any]:
        return list(map(itemgetter(field_index(hole)), self.rows))

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
        names = self._values(unknown)
        if ports.keys() >= set(names):
            return set()
        return {at for at, name in enumerate(names) if name not in ports}

    def by_shape(
        self, ports: Hole | None, masked: Sequence[Hole]
    ) -> Iterator[tuple[Shape, Columns]]:
        """The rows in groups of one shape, which the list of ports and the masked numbers decide.
        Without any of them, all rows are one group.
        """
        if ports is None and not masked:
            yield PLAIN, self
            return
        lengths = [0] * len(self) if ports is None else map(len, self._port_lists(ports))
        masks = [[_mask_form(hole, each) for each in self._values(hole)] for hole in masked]
        groups: dict[Shape, list[Any]] = {}
        for row, length, *forms in zip(self.rows, lengths, *masks, strict=True):
            groups.setdefault(Shape(length, tuple(forms)), []).append(row)
        for shape, rows in groups.items():
            yield shape, Columns(rows, self.context)

    def _port_lists(self, hole: Hole) -> list[list[int]]:
        """For each row, the numbers of those ports of its list that the bridge has."""
        lists = self._lists.get(hole)
        if lists is None:
            names = self._values(hole)
            lists = self._lists[hole] = [port_numbers(each, self.context.ports) for each in names]
        return lists


def _mask_form(hole: Hole, masked: MaskedNumber) -> MaskForm:
    if not masked.mask:
        return MaskForm.NO_BITS
    whole = masked.mask == (1 << hole.bits) - 1
    return MaskForm.ALL_BITS if whole else MaskForm.SOME_BITS


def _encoded(kind: Kind, bit_field: BitField, values: list[Any]) -> bytes:
    """The bytes of a field's values. To encode all at once is several times as fast."""
    if kind is Kind.MAC:
        return _shifted(bit_field, 6, bytes.fromhex("".join(values).replace(":", "")))
    if kind is Kind.IPV4:
        return _shifted(bit_field, 4, bytes(map(_OCTETS.__getitem__, ".".join(values).split("."))))
    if kind is Kind.IPV6:
        return _shifted(bit_field, 16, b"".join(IPv6Address(each).packed for each in values))
    if kind is Kind.MASKED:
        values = list(map(masked_value, values))
    # Many rows share few tags, VNIs, protocols and L4 ports.
    return _concatenated(values, {value: bit_field.bytes_of(value) for value in set(values)})


def _concatenated(values: list[Any], known: Mapping[Any, bytes]) -> bytes:
    return b"".join(map(known.__getitem__, values))


def _shifted(bit_field: BitField, width: int, joined: bytes) -> bytes:
    """The joined values, of `width` bytes each, in the bit field's layout."""
    if bit_field == BitField(width, 0, 0, 8 * width):
        return joined
    return b"".join(
        bit_field.bytes_of(int.from_bytes(each, "big")) for each in split_rows(joined, width)
    )
