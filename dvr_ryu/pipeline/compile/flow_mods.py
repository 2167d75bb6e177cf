"""Makes flow-mod messages, which add or delete flows, from flows as bytes. Pure.

Flows of one line differ in a few bytes only: their messages are a pattern with columns written over
it.
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
"""All bits of a cookie but one. For a whole cookie, Open vSwitch goes through all flows with that
cookie (collect_rules_strict); for a part of it, Open vSwitch looks up the match.
"""
_XID = 4
"""Offset of the xid in a message."""
_VALUE_HEAD = itemgetter(slice(VALUE.size))


Envelope: TypeAlias = "Callable[[int], tuple[bytes, bytes]]"
"""Makes the head of a message that holds another of so many bytes: the bytes before the head's xid,
which both messages share, and the bytes between that xid and the inner message.
"""


def flow_mods(
    version: int,
    command: int,
    flows: Mapping[bytes, bytes],
    xids: Sequence[int],
    envelope: Envelope | None = None,
) -> Iterator[bytes]:
    """One flow-mod message for each flow (identity → value), with the xid of the same index. The
    order of the messages is not defined.

    `command` is ADD or DELETE_STRICT; a deletion has no instructions. `version` is OpenFlow's, as
    in a message's head. With an `envelope`, each message stands in one.
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
    """Whether identities, or values, all have one length and one head, as those of a line do."""
    lengths = set(map(len, parts))
    if len(lengths) != 1:
        return False
    (length,) = lengths
    return not any(varying_columns(b"".join(parts), length, head))


def _by_shape(
    identities: Sequence[bytes], values: Sequence[bytes], xids: Sequence[int]
) -> Iterable[list[tuple[bytes, bytes, int]]]:
    """Flows with their xids, grouped by length and head."""
    groups = defaultdict(list)
    for flow in zip(identities, values, xids, strict=True):
        identity, value, _ = flow
        shape = len(identity), identity[: IDENTITY.size], len(value), value[: VALUE.size]
        groups[shape].append(flow)
    return groups.values()


class _Pattern(NamedTuple):
    """A message with its envelope, and the offsets of its parts that differ from flow to flow."""

    message: bytes
    xids: tuple[int, ...]
    fields: int
    instructions: int


class _Frame(NamedTuple):
    """The settings that all messages of one change share."""

    version: int
    command: int
    envelope: Envelope | None

    def messages(
        self, identities: Sequence[bytes], values: Sequence[bytes], xids: Sequence[int]
    ) -> Sequence[bytes]:
        """The messages of flows of one length and head."""
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
        # A deletion matches our own cookie only: foreign flows stay.
        mask = 0 if self.command == ADD else _COOKIE_MASK
        head = FLOW_MOD.pack(
            self.version, _FLOW_MOD_TYPE, length, 0, cookie, mask, table, self.command, idle, hard,
            priority, _NO_BUFFER, _ANY, _ANY, flags, importance,
        ) + MATCH.pack(1, match_length)  # fmt: skip
        message = head + fields.ljust(padded(match_length) - MATCH.size, b"\0") + instructions
        outside, outside_xids = self._enveloped(length)
        return _Pattern(
            outside + message,
            (*outside_xids, len(outside) + _XID),
            len(outside) + len(head),
            len(outside) + length - len(instructions),
        )

    def _enveloped(self, length: int) -> tuple[bytes, tuple[int, ...]]:
        """The envelope's head for a message of this length, and the offset of the xid in it."""
        if self.envelope is None:
            return b"", ()
        before_xid, after_xid = self.envelope(length)
        return before_xid + bytes(4) + after_xid, (len(before_xid),)


def delete_by_cookie(version: int, cookie: int, xid: int) -> bytes:
    """The flow-mod message that deletes all flows with a cookie, in all tables."""
    return FLOW_MOD.pack(
        version, _FLOW_MOD_TYPE, FLOW_MOD.size + 8, xid, cookie, (1 << 64) - 1, _ALL_TABLES,
        _DELETE, 0, 0, 0, _NO_BUFFER, _ANY, _ANY, 0, 0,
    ) + MATCH.pack(1, MATCH.size) + bytes(4)  # fmt: skip
