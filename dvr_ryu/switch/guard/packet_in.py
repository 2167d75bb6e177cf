"""Reads from a packet-in only the number of the port that the packet came from. Pure.

Bridges send them for flows with `controller`. The packet itself is a guest's: nothing looks at it.
"""

from __future__ import annotations

import struct

_MATCH = 24
"""Where the match begins: after the header, and what OpenFlow 1.3 and 1.4 say of the packet."""
_MATCH_HEAD = struct.Struct("!HH")
_OXM = 1
"""OFPMT_OXM"""
_FIELD_HEAD = struct.Struct("!HBB")
"""Before a field's value: its class, its number and whether it has a mask, the value's length."""
_BASIC, _IN_PORT = 0x8000, 0
_NUMBER = struct.Struct("!I")


def in_port(message: bytes) -> int | None:
    """The port's number; None if the message does not say it."""
    if len(message) < _MATCH + _MATCH_HEAD.size:
        return None
    kind, length = _MATCH_HEAD.unpack_from(message, _MATCH)
    at, end = _MATCH + _MATCH_HEAD.size, _MATCH + length
    if kind != _OXM or end > len(message):
        return None
    while at + _FIELD_HEAD.size <= end:
        family, number, size = _FIELD_HEAD.unpack_from(message, at)
        at += _FIELD_HEAD.size
        if (family, number >> 1, size) == (_BASIC, _IN_PORT, _NUMBER.size) and at + size <= end:
            found: int = _NUMBER.unpack_from(message, at)[0]
            return found
        at += size
    return None
