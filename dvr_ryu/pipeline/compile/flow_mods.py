"""Flow-mod messages made of flows as bytes: to add them, or to delete them. Pure.

Flows of a line differ in a few bytes only: their messages are a pattern with columns laid over it.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from dvr_ryu.pipeline.compile.byte_table import overlay, split_rows, varying_columns
from dvr_ryu.pipeline.compile.flow_bytes import FLOW_MOD, IDENTITY, VALUE
from dvr_ryu.pipeline.language.encoding.layout import MATCH, padded

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
_XID = 4
"""Where a message has its xid."""
_VALUE_HEAD = itemgetter(slice(VALUE.size))


Envelope: TypeAlias = "Callable[[int], tuple[bytes, bytes]]"
"""Around a message of so many bytes: what stands before its xid, which is the envelope's too, and
what stands between that and the message.
"""


def flow_mods(
    version: int,
    command: int,
    flows: Mapping[bytes, bytes],
    xids: Sequence[int],
    envelope: Envelope | None = None,
) -> Iterator[bytes]:
    """The flow-mod messages that add flows (identity → value) or strictly delete them (then their
    instructions are left out), in any order: one for each flow, with the xid that is in its place;
    each in an envelope, if there is one.
    """
    identities, values = list(flows), list(flows.values())
    if command != ADD:
        values = list(map(_VALUE_HEAD, values))
    frame = _Frame(version, command, envelope)
    if _alike(identities, IDENTITY.size) and _alike(values, VALUE.size):
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
    return not any(varying_columns(b"".join(parts), length, head))


def _by_shape(
    identities: Sequence[bytes], values: Sequence[bytes], xids: Sequence[int]
) -> Iterable[list[tuple[bytes, bytes, int]]]:
    """Flows with their xids in groups that are alike."""
    groups = defaultdict(list)
    for flow in zip(identities, values, xids, strict=True):
        identity, value, _ = flow
        shape = len(identity), identity[: IDENTITY.size], len(value), value[: VALUE.size]
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
            (identities, IDENTITY.size, pattern.fields),
            (values, VALUE.size, pattern.instructions),
        ):
            varied = varying_columns(b"".join(parts), len(parts[0]))
            columns += [(start - head + at, column) for at, column in varied]
        return split_rows(overlay(pattern.message, len(xids), columns), len(pattern.message))

    def _pattern(self, identity: bytes, value: bytes) -> _Pattern:
        """The message of one flow, with zeroes for its xid."""
        table, priority = IDENTITY.unpack_from(identity)
        idle, hard, flags, importance, cookie = VALUE.unpack_from(value)
        fields, instructions = identity[IDENTITY.size :], value[VALUE.size :]
        match_length = MATCH.size + len(fields)
        length = FLOW_MOD.size + padded(match_length) + len(instructions)
        # A deletion is restricted to flows with our own cookie: what others installed stays.
        mask = 0 if self.command == ADD else _COOKIE_MASK
        head = FLOW_MOD.pack(
            self.version, _FLOW_MOD_TYPE, length, 0, cookie, mask, table, self.command, idle, hard,
            priority, _NO_BUFFER, _ANY, _ANY, flags, importance,
        ) + MATCH.pack(1, match_length)  # fmt: skip
        message = head + fields.ljust(padded(match_length) - MATCH.size, b"\0") + instructions
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


def delete_by_cookie(version: int, cookie: int, xid: int) -> bytes:
    """The flow-mod message that deletes whatever has a cookie, in all tables."""
    return FLOW_MOD.pack(
        version, _FLOW_MOD_TYPE, FLOW_MOD.size + 8, xid, cookie, (1 << 64) - 1, _ALL_TABLES,
        _DELETE, 0, 0, 0, _NO_BUFFER, _ANY, _ANY, 0, 0,
    ) + MATCH.pack(1, MATCH.size) + bytes(4)  # fmt: skip
