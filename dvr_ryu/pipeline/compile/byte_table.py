"""Joins many byte strings of one length, one after another, to one long string: a table. Columns
are written into all rows at once.

Pure. No loop over rows runs in Python: it would dominate a fill's time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator


def overlay(pattern: bytes, rows: int, columns: Iterable[tuple[int, bytes]]) -> bytearray:
    """A table of so many rows, each the pattern with its part of every column written over it.

    A column is an offset in the pattern, and the bytes of the first row, then as many of the
    second, and so on.
    """
    table, length = bytearray(pattern) * rows, len(pattern)
    for at, column in columns:
        width, rest = divmod(len(column), rows)
        assert not rest, f"{len(column)} bytes for {rows} rows"
        for offset in range(width):
            table[at + offset :: length] = column[offset::width]
    return table


def split_rows(table: bytes | bytearray, length: int) -> tuple[bytes, ...]:
    """The rows of a table whose rows have this length."""
    return tuple(row for (row,) in struct.iter_unpack(f"{length}s", table))


def varying_columns(
    table: bytes, length: int, end: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """The offset and the bytes of each column, one byte wide, in which rows of this length differ.
    Only offsets below `end` are compared (None: all).
    """
    for at in range(length if end is None else end):
        column = table[at::length]
        if column != column[:1] * len(column):
            yield at, column
