"""Flows as OpenFlow bytes: what makes two flows the same one, and what else they say.

OpenFlow 1.3 and 1.4 lay a flow out alike, in a flow-mod and in a dump; only that 1.3 has zeroes in
place of the importance. Both are cut here into an identity (table, priority, match) and a value
(timeouts, flags, importance, cookie, instructions), and put together again. Offsets are those of
ofp_flow_mod and ofp_flow_stats in the OpenFlow specification.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

ADD = 0
DELETE_STRICT = 4

_FLOW_MOD_TYPE = 14
_NO_BUFFER = 0xFFFFFFFF
_ANY = 0xFFFFFFFF
_OPENFLOW_BASIC = 0x8000

_HEADER = struct.Struct("!BBHI")
_IDENTITY = struct.Struct("!BH")
_VALUE = struct.Struct("!HHHHQ")
_FLOW_MOD = struct.Struct("!BBHIQQBBHHHIIIHH")
_FLOW_STATS = struct.Struct("!HBxIIHHHHHxxQQQ")
_MATCH = struct.Struct("!HH")
_MULTIPART_HEADER = 16


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


def split_flow_stats(reply: bytes) -> Iterator[WireFlow]:
    """The flows in one multipart reply (header included) to a flow stats request."""
    at = _MULTIPART_HEADER
    while at < len(reply):
        length, table, _, _, priority, *rest, _, _ = _FLOW_STATS.unpack_from(reply, at)
        end = at + length
        yield _wire_flow(reply, at + _FLOW_STATS.size, end, table, priority, tuple(rest))
        at = end


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
    parts = []
    at = 0
    while at < len(fields):
        end = at + 4 + fields[at + 3]
        parts.append(fields[at:end])
        at = end
    parts.sort(key=lambda part: (int.from_bytes(part[:2], "big") != _OPENFLOW_BASIC, part))
    return b"".join(parts)


def flow_mod(version: int, xid: int, command: int, flow: WireFlow) -> bytes:
    """The flow-mod message that adds a flow or strictly deletes it (then its instructions are left
    out).
    """
    table, priority = _IDENTITY.unpack_from(flow.identity)
    fields = flow.identity[_IDENTITY.size :]
    idle, hard, flags, importance, cookie = _VALUE.unpack_from(flow.value)
    instructions = flow.value[_VALUE.size :] if command == ADD else b""
    match_length = _MATCH.size + len(fields)
    padding = bytes(_padded(match_length) - match_length)
    length = _FLOW_MOD.size + match_length + len(padding) + len(instructions)
    # A deletion is restricted to flows with our own cookie: what others installed stays.
    mask = 0 if command == ADD else (1 << 64) - 1
    head = _FLOW_MOD.pack(
        version, _FLOW_MOD_TYPE, length, xid, cookie, mask, table, command, idle, hard, priority,
        _NO_BUFFER, _ANY, _ANY, flags, importance,
    )  # fmt: skip
    return b"".join((head, _MATCH.pack(1, match_length), fields, padding, instructions))


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


def xid_of(message: bytes) -> int:
    """The transaction id in a message's header."""
    xid: int = _HEADER.unpack_from(message)[3]
    return xid


def _padded(length: int) -> int:
    return (length + 7) // 8 * 8
