"""A switch's answer to the question for its flows, as bytes: cut into flows. Pure.

Entries of one length that follow each other, as those of a line do, are cut at once.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from functools import cache

from dvr_ryu.pipeline.wire import MATCH, canonical_matches, padded

_HEADER = 16
"""ofp_multipart_reply"""
_LENGTHS = struct.Struct("!H48xH")
"""An entry's length and its match's."""
_LENGTH_BYTES = (0, 1, 50, 51)
"""Where an entry has them."""


def split_flow_stats(reply: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The flows in one multipart reply (header included) to a flow stats request: identities and
    values.
    """
    at = _HEADER
    while at < len(reply):
        lengths = _LENGTHS.unpack_from(reply, at)
        end = at + lengths[0] * _alike(reply, at, lengths[0])
        entries = _entry(*lengths).iter_unpack(reply[at:end])
        tables, priorities, behaviours, cookies, matches, instructions = zip(*entries, strict=True)
        yield from zip(
            map(b"".join, zip(tables, priorities, canonical_matches(matches), strict=True)),
            map(b"".join, zip(behaviours, cookies, instructions, strict=True)),
            strict=True,
        )
        at = end


def _alike(reply: bytes, at: int, length: int) -> int:
    """How many entries, from the one that begins here, have its length, and their matches too."""
    columns = [reply[at + offset :: length] for offset in _LENGTH_BYTES]
    return min(len(column) - len(column.lstrip(column[:1])) for column in columns)


@cache
def _entry(length: int, match_length: int) -> struct.Struct:
    """One entry: table; priority; timeouts, flags and importance; cookie; the match's fields;
    instructions.
    """
    match = f"{match_length - MATCH.size}s{padded(match_length) - match_length}x"
    return struct.Struct(f"!2xs9x2s8s2x8s20x{match}{length - 48 - padded(match_length)}s")
