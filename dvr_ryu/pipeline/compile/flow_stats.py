"""Splits a switch's reply to a flow stats request into flows, as bytes. Pure.

A switch may send any bytes: an entry that does not fit is refused. Instructions are compared and
never parsed: they are the rest of an entry, with any bytes. A flow's counters are read apart from
its value, since they change all the time.

Consecutive entries of one length, as one line's flows are, are split at once.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import compress
from typing import Any, NamedTuple

from dvr_ryu.errors import SwitchError
from dvr_ryu.pipeline.compile.flow_bytes import TIMEOUTS, canonical_matches
from dvr_ryu.pipeline.language.encoding.layout import MATCH, padded

_HEADER = 16
"""ofp_multipart_reply"""
_HEAD = 48
"""Bytes of an entry before its match."""
_LENGTHS = struct.Struct("!H46xHH")
"""An entry's length, its match's type, and its match's length."""
_LENGTH_BYTES = (0, 1, 48, 49, 50, 51)
"""Offsets of these three numbers' bytes in an entry."""
_OXM = 1
"""OFPMT_OXM, the only type of a match."""


class FlowCount(NamedTuple):
    """The counters of one flow."""

    identity: bytes
    timeouts: bytes
    """The idle and the hard timeout, as they begin a flow's value."""
    cookie: int
    packets: int
    bytes: int


class FlowDump:
    """The counters of a bridge's flows, of all parts of a reply."""

    def __init__(self) -> None:
        self.flows: Counter[int] = Counter()
        """Cookie → the number of flows that have it."""
        self.counted: list[FlowCount] = []
        """The flows that have counted packets: most flows of a large network have none."""

    def add(self, reply: bytes) -> None:
        """Add a part of the reply. Raises SwitchError as `split_flow_stats`."""
        for columns in _columns(reply, "QQQ"):
            cookies, packets = columns[3], columns[4]
            self.flows.update(cookies)
            if any(packets):
                self.counted += _counts(compress(zip(*columns, strict=True), packets))


def split_flow_stats(reply: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The identity and the value of each flow in a multipart reply, header included. Raises
    SwitchError for an entry that does not fit.
    """
    for tables, priorities, behaviours, cookies, matches, instructions in _columns(reply, "8s16x"):
        yield from zip(
            map(b"".join, zip(tables, priorities, _in_order(matches), strict=True)),
            map(b"".join, zip(behaviours, cookies, instructions, strict=True)),
            strict=True,
        )


def _counts(rows: Iterable[Any]) -> Iterator[FlowCount]:
    tables, priorities, behaviours, cookies, packets, sizes, matches, _ = zip(*rows, strict=True)
    identities = map(b"".join, zip(tables, priorities, _in_order(matches), strict=True))
    timeouts = (behaviour[:TIMEOUTS] for behaviour in behaviours)
    return map(FlowCount, identities, timeouts, cookies, packets, sizes)


def _in_order(matches: Sequence[bytes]) -> Sequence[bytes]:
    try:
        return canonical_matches(matches)
    except ValueError as error:
        raise SwitchError(f"flow statistics with {error}") from None


def _columns(reply: bytes, counters: str) -> Iterator[tuple[Any, ...]]:
    """The columns of `_entry`, for each run of entries that are alike."""
    at = _HEADER
    while at < len(reply):
        length, match_length = _lengths(reply, at)
        end = at + length * _count_alike(reply, at, length)
        entries = _entry(length, match_length, counters).iter_unpack(reply[at:end])
        yield tuple(zip(*entries, strict=True))
        at = end


def _lengths(reply: bytes, at: int) -> tuple[int, int]:
    """The length of the entry at this offset, and of its match."""
    room = len(reply) - at
    if room < _LENGTHS.size:
        raise SwitchError(f"flow statistics that end {room} bytes after an entry began")
    length, match_type, match_length = _LENGTHS.unpack_from(reply, at)
    if length > room or length % 8:
        raise SwitchError(f"flow statistics with an entry of length {length}")
    if match_type != _OXM:
        raise SwitchError(f"flow statistics with a match of type {match_type}")
    if match_length < MATCH.size or _HEAD + padded(match_length) > length:
        raise SwitchError(
            f"flow statistics with a match of length {match_length} in an entry of length {length}"
        )
    return length, match_length


def _count_alike(reply: bytes, at: int, length: int) -> int:
    """The number of whole entries, from the one at this offset on, that have the same length and
    the same length of match.
    """
    columns = [reply[at + offset :: length] for offset in _LENGTH_BYTES]
    alike = min(len(column) - len(column.lstrip(column[:1])) for column in columns)
    return min(alike, (len(reply) - at) // length)


@lru_cache(1024)
def _entry(length: int, match_length: int, counters: str) -> struct.Struct:
    """One entry: table; priority; timeouts, flags and importance; cookie, packets and bytes in the
    format `counters`; the match's fields; instructions.
    """
    match = f"{match_length - MATCH.size}s{padded(match_length) - match_length}x"
    return struct.Struct(f"!2xs9x2s8s2x{counters}4x{match}{length - _HEAD - padded(match_length)}s")
