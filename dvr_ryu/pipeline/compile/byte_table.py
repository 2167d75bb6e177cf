"""Many byte strings of one length at once, as a table: one string, in which they stand behind each
other, and columns are laid over all of them.

Pure, and without a loop over rows in Python: this is where a fill would spend its time.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator


def overlay(pattern: bytes, rows: int, columns: Iterable[tuple[int, bytes]]) -> bytearray:
    """So many rows that are the pattern, but for the columns: each begins at a position of the
    pattern, and has the bytes of the first row, then as many of the second, and so on.
    """
    table, length = bytearray(pattern) * rows, len(pattern)
    for at, column in columns:
        width, rest = divmod(len(column), rows)
        assert not rest, f"{len(column)} bytes for {rows} rows"
        for offset in range(width):
            table[at + offset :: length] = column[offset::width]
    return table


def split_rows(table: bytes | bytearray, length: int) -> tuple[bytes, ...]:
    """The rows of a table, of this length each."""
    return tuple(row for (row,) in struct.iter_unpack(f"{length}s", table))


def varying_columns(
    table: bytes, length: int, end: int | None = None
) -> Iterator[tuple[int, bytes]]:
    """The columns, one byte wide and before `end`, in which not all rows, of this length, are
    alike: where each is, and its bytes.
    """
    for at in range(length if end is None else end):
        column = table[at::length]
        if column != column[:1] * len(column):
            yield at, column
