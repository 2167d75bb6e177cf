"""Flows as OpenFlow bytes: what makes two flows the same one, and what else they say.

OpenFlow 1.3 and 1.4 lay a flow out alike, in a flow-mod and in a dump; only that 1.3 has zeroes in
place of the importance. Both are cut here into an identity (table, priority, match) and a value
(timeouts, flags, importance, cookie, instructions), and put together again. Offsets are those of
ofp_flow_mod and ofp_flow_stats in the OpenFlow specification.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from dvr_ryu.pipeline.weave import cut, laid, varying

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
_VALUE_HEAD = itemgetter(slice(_VALUE.size))
_TIMEOUTS = 4
"""How many bytes of a value are the idle and the hard timeout."""
_FLOW_MOD = struct.Struct("!BBHIQQBBHHHIIIHH")
_FLOW_STATS = struct.Struct("!H48xH")
"""An entry's length and its match's."""
_MATCH = struct.Struct("!HH")
_XID = 4
"""Where a message has its xid."""
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
    """
    identities, values = list(flows), list(flows.values())
    if command != ADD:
        values = list(map(_VALUE_HEAD, values))
    frame = _Frame(version, command, envelope)
    if _alike(identities, _IDENTITY.size) and _alike(values, _VALUE.size):
        yield from frame.messages(identities, values, xids)
    else:
        for group in _by_shape(identities, values, xids):
            yield from frame.messages(*zip(*group, strict=True))


def _alike(parts: Sequence[bytes], head: int) -> bool:
    """Whether identities or values are of one length and one head: those of a line are."""
    lengths = set(map(len, parts))
    if len(lengths) != 1:
        return False
    (length,) = lengths
    return not any(varying(b"".join(parts), length, head))


def _by_shape(
    identities: Sequence[bytes], values: Sequence[bytes], xids: Sequence[int]
) -> Iterable[list[tuple[bytes, bytes, int]]]:
    """Flows with their xids in groups that are alike."""
    groups = defaultdict(list)
    for flow in zip(identities, values, xids, strict=True):
        identity, value, _ = flow
        shape = len(identity), identity[: _IDENTITY.size], len(value), value[: _VALUE.size]
        groups[shape].append(flow)
    return groups.values()


class _Pattern(NamedTuple):
    """A message with its envelope, and where it has what differs from flow to flow."""

    message: bytes
    xids: tuple[int, ...]
    fields: int
    instructions: int


class _Frame(NamedTuple):
    """What the messages of a change have in common."""

    version: int
    command: int
    envelope: Envelope | None

    def messages(
        self, identities: Sequence[bytes], values: Sequence[bytes], xids: Sequence[int]
    ) -> Sequence[bytes]:
        """The messages of flows that are alike."""
        pattern = self._pattern(identities[0], values[0])
        numbers = struct.pack(f"!{len(xids)}I", *xids)
        columns = [(at, numbers) for at in pattern.xids]
        for parts, head, start in (
            (identities, _IDENTITY.size, pattern.fields),
            (values, _VALUE.size, pattern.instructions),
        ):
            varied = varying(b"".join(parts), len(parts[0]))
            columns += [(start - head + at, column) for at, column in varied]
        return cut(laid(pattern.message, len(xids), columns), len(pattern.message))

    def _pattern(self, identity: bytes, value: bytes) -> _Pattern:
        """The message of one flow, with zeroes for its xid."""
        table, priority = _IDENTITY.unpack_from(identity)
        idle, hard, flags, importance, cookie = _VALUE.unpack_from(value)
        fields, instructions = identity[_IDENTITY.size :], value[_VALUE.size :]
        match_length = _MATCH.size + len(fields)
        length = _FLOW_MOD.size + _padded(match_length) + len(instructions)
        # A deletion is restricted to flows with our own cookie: what others installed stays.
        mask = 0 if self.command == ADD else _COOKIE_MASK
        head = _FLOW_MOD.pack(
            self.version, _FLOW_MOD_TYPE, length, 0, cookie, mask, table, self.command, idle, hard,
            priority, _NO_BUFFER, _ANY, _ANY, flags, importance,
        ) + _MATCH.pack(1, match_length)  # fmt: skip
        message = head + fields + bytes(-match_length % 8) + instructions
        around, outer = self._around(length)
        return _Pattern(
            around + message,
            (*outer, len(around) + _XID),
            len(around) + len(head),
            len(around) + length - len(instructions),
        )

    def _around(self, length: int) -> tuple[bytes, tuple[int, ...]]:
        """What stands before a message of this length, and where that has the xid, too."""
        if self.envelope is None:
            return b"", ()
        before, behind = self.envelope(length)
        return before + bytes(4) + behind, (len(before),)


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
