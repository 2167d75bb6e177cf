"""Flows as OpenFlow bytes: what makes two flows the same one, and what else they say.

OpenFlow 1.3 and 1.4 lay a flow out alike, in a flow-mod and in a dump; only that 1.3 has zeroes in
place of the importance. Both are cut here into an identity (table, priority, match) and a value
(timeouts, flags, importance, cookie, instructions), and put together again. Offsets are those of
ofp_flow_mod and ofp_flow_stats in the OpenFlow specification.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import compress
from operator import itemgetter, ne
from typing import NamedTuple, TypeAlias

from dvr_ryu.pipeline.weave import woven

ADD = 0
DELETE_STRICT = 4
_DELETE = 3
_ALL_TABLES = 0xFF

_FLOW_MOD_TYPE = 14
_NO_BUFFER = 0xFFFFFFFF
_ANY = 0xFFFFFFFF
_COOKIE_MASK = (1 << 64) - 2
"""Not all of a cookie's bits: for a whole cookie Open vSwitch looks through all flows that have it
(collect_rules_strict), for part of one it looks up the match.
"""

_IDENTITY = struct.Struct("!BH")
_VALUE = struct.Struct("!HHHHQ")
_IDENTITY_HEAD = itemgetter(slice(_IDENTITY.size))
_VALUE_HEAD = itemgetter(slice(_VALUE.size))
_MATCH_FIELDS = itemgetter(slice(_IDENTITY.size, None))
_INSTRUCTIONS = itemgetter(slice(_VALUE.size, None))
_TIMEOUTS = 4
"""How many bytes of a value are the idle and the hard timeout."""
_FLOW_MOD = struct.Struct("!BBHIQQBBHHHIIIHH")
_FLOW_STATS = struct.Struct("!H48xH")
"""An entry's length and its match's."""
_MATCH = struct.Struct("!HH")
_MULTIPART_HEADER = 16
_FIELD_HEAD = 4
_MOST_KNOWN = 16
"""Kinds of matches of one length that are told from each other faster than they are sorted."""


Envelope: TypeAlias = "Callable[[int], tuple[bytes, bytes]]"
"""Around a message of so many bytes: what stands before its xid, which is the envelope's too, and
what stands between that and the message.
"""


class WireFlow(NamedTuple):
    """A flow in two parts: flows with one identity replace each other, flows with one value do the
    same.
    """

    identity: bytes
    value: bytes


def split_flow_mod(message: bytes) -> WireFlow:
    """The flow that a flow-mod message (header included) adds."""
    fields = _FLOW_MOD.unpack_from(message)
    cookie, table, priority = fields[4], fields[6], fields[10]
    rest = *(fields[at] for at in (8, 9, 14, 15)), cookie
    return _wire_flow(message, _FLOW_MOD.size, len(message), table, priority, rest)


def split_flow_stats(reply: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The flows in one multipart reply (header included) to a flow stats request: identities and
    values.
    """
    at, total = _MULTIPART_HEADER, len(reply)
    while at < total:
        length, match_length = _FLOW_STATS.unpack_from(reply, at)
        table, priority, behaviour, cookie, fields, instructions = _stats_entry(
            length, match_length
        ).unpack_from(reply, at)
        yield table + priority + canonical_match(fields), behaviour + cookie + instructions
        at += length


@cache
def _stats_entry(length: int, match_length: int) -> struct.Struct:
    """One entry: table; priority; timeouts, flags and importance; cookie; the match's fields;
    instructions.
    """
    match = f"{match_length - _MATCH.size}s{_padded(match_length) - match_length}x"
    return struct.Struct(f"!2xs9x2s8s2x8s20x{match}{length - 48 - _padded(match_length)}s")


def may_lapse(value: bytes) -> bool:
    """Whether a flow has a timeout, after which the switch removes it by itself."""
    return value[:_TIMEOUTS] != bytes(_TIMEOUTS)


def _wire_flow(
    message: bytes, at: int, end: int, table: int, priority: int, rest: tuple[int, ...]
) -> WireFlow:
    _, match_length = _MATCH.unpack_from(message, at)
    match = canonical_match(message[at + _MATCH.size : at + match_length])
    instructions = message[at + _padded(match_length) : end]
    return WireFlow(_IDENTITY.pack(table, priority) + match, _VALUE.pack(*rest) + instructions)


def canonical_match(fields: bytes) -> bytes:
    """A match's fields in one order: OpenFlow's own by number, so that each follows what it
    requires; then the extensions'. Switches and Ryu each have an order of their own.
    """
    known = _in_order[len(fields)]
    number = int.from_bytes(fields, "big")
    for mask, heads in known:
        if number & mask == heads:
            return fields
    return _ordered(fields, known)


_in_order: dict[int, list[tuple[int, int]]] = defaultdict(list)
"""Length of a match → the matches of that length that were met in order: where the fields' heads
are, as a mask, and what they are. There are as many as there are kinds of lines.
"""


def _ordered(fields: bytes, known: list[tuple[int, int]]) -> bytes:
    """The fields in order. If they were, they are remembered."""
    parts: list[tuple[bool, bytes]] = []
    mask = b""
    at, end = 0, len(fields)
    while at < end:
        after = at + _FIELD_HEAD + fields[at + 3]
        parts.append((fields[at] != 0x80 or fields[at + 1] != 0, fields[at:after]))
        mask += b"\xff" * _FIELD_HEAD + bytes(fields[at + 3])
        at = after
    ordered = b"".join(part for _, part in sorted(parts))
    if ordered == fields and len(known) < _MOST_KNOWN:
        heads = int.from_bytes(mask, "big")
        known.append((heads, int.from_bytes(fields, "big") & heads))
    return ordered


def forgetting(version: int, cookie: int, xid: int) -> bytes:
    """The flow-mod message that deletes whatever has a cookie, in all tables."""
    return _FLOW_MOD.pack(
        version, _FLOW_MOD_TYPE, _FLOW_MOD.size + 8, xid, cookie, (1 << 64) - 1, _ALL_TABLES,
        _DELETE, 0, 0, 0, _NO_BUFFER, _ANY, _ANY, 0, 0,
    ) + _MATCH.pack(1, _MATCH.size) + bytes(4)  # fmt: skip


def flow_mods(
    version: int,
    command: int,
    flows: Mapping[bytes, bytes],
    xids: Sequence[int],
    envelope: Envelope | None = None,
) -> Iterator[bytes]:
    """The flow-mod messages that add flows (identity → value) or strictly delete them (then their
    instructions are left out), one for each xid; each in an envelope, if there is one.

    Flows of one shape that follow each other, as those of a line do, are put together at once.
    """
    identities, values = list(flows), list(flows.values())
    if command != ADD:
        values = list(map(_VALUE_HEAD, values))
    heads = map(_IDENTITY_HEAD, identities), map(_VALUE_HEAD, values)
    shapes = list(zip(*heads, map(len, identities), map(len, values), strict=True))
    ends = [*compress(range(1, len(shapes)), map(ne, shapes[1:], shapes)), len(shapes)]
    packed, start = struct.pack(f"!{len(shapes)}I", *xids), 0
    for end in ends if shapes else ():
        pieces = _pieces(version, command, identities[start], values[start], envelope)
        own = [packed[at : at + 4] for at in range(4 * start, 4 * end, 4)]
        fields = map(_MATCH_FIELDS, identities[start:end])
        instructions = map(_INSTRUCTIONS, values[start:end])
        yield from woven(pieces, [*[own] * (len(pieces) - 3), fields, instructions])
        start = end


def _pieces(
    version: int, command: int, identity: bytes, value: bytes, envelope: Envelope | None
) -> list[bytes]:
    """The bytes that all flow-mods of one shape have: before the xid (first the envelope's, if
    there is one), the match's fields, the instructions, and behind them.
    """
    table, priority = _IDENTITY.unpack_from(identity)
    idle, hard, flags, importance, cookie = _VALUE.unpack_from(value)
    match_length = _MATCH.size + len(identity) - _IDENTITY.size
    padding = bytes(_padded(match_length) - match_length)
    length = _FLOW_MOD.size + match_length + len(padding) + len(value) - _VALUE.size
    # A deletion is restricted to flows with our own cookie: what others installed stays.
    mask = 0 if command == ADD else _COOKIE_MASK
    head = _FLOW_MOD.pack(
        version, _FLOW_MOD_TYPE, length, 0, cookie, mask, table, command, idle, hard, priority,
        _NO_BUFFER, _ANY, _ANY, flags, importance,
    )  # fmt: skip
    pieces = [head[:4], head[8:] + _MATCH.pack(1, match_length), padding, b""]
    if envelope:
        before, behind = envelope(length)
        pieces[:1] = [before, behind + pieces[0]]
    return pieces


def table_of(identity: bytes) -> int:
    """The table of the flow that has this identity."""
    return identity[0]


def cookie_of(value: bytes) -> int:
    """The cookie of the flow that has this value."""
    cookie: int = _VALUE.unpack_from(value)[4]
    return cookie


def importance_of(value: bytes) -> int:
    """The importance of the flow that has this value."""
    importance: int = _VALUE.unpack_from(value)[3]
    return importance


def _padded(length: int) -> int:
    return (length + 7) // 8 * 8
