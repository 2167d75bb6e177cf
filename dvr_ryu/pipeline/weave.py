"""Many byte strings put together at once: columns of bytes between pieces that all of them have.

Pure, and without a loop in Python: this is where a fill spends its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat, zip_longest


def woven(pieces: Sequence[bytes], columns: Sequence[Iterable[bytes]]) -> Iterator[bytes]:
    """For each row of the columns: the first piece, the row's first, the second piece, and so on.

    There is at least one column, and one piece more than columns.
    """
    parts: list[Iterable[bytes]] = []
    for piece, column in zip_longest(pieces, columns):
        parts += [repeat(piece)] if piece else []
        parts += [column] if column is not None else []
    return map(b"".join, zip(*parts, strict=False))  # a repeated piece has no end
