"""OpenFlow messages that a switch sends, and malformed ones, as bytes for tests. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable

HEADER = struct.Struct("!BBHI")
HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY, EXPERIMENTER, FEATURES = 0, 1, 2, 3, 4, 6
PACKET_IN, FLOW_REMOVED, PORT_STATUS, MULTIPART, BARRIER, BUNDLE = 10, 11, 12, 19, 21, 33
DESCRIPTION, FLOWS, AGGREGATE, PORTS = 0, 1, 2, 13
V1_3, V1_4 = 4, 5
MORE = 1


def message(
    version: int, kind: int, xid: int, body: bytes = b"", length: int | None = None
) -> bytes:
    """A message; `length` overrides the length in its header."""
    size = HEADER.size + len(body) if length is None else length
    return HEADER.pack(version, kind, size & 0xFFFF, xid & 0xFFFFFFFF) + body


def multipart(version: int, about: int, xid: int, body: bytes = b"", flags: int = 0) -> bytes:
    """One part of a multipart reply."""
    return message(version, MULTIPART, xid, struct.pack("!HHxxxx", about, flags) + body)


def hello(version: int, versions: Iterable[int] | None = None) -> bytes:
    """A HELLO, with a bitmap if versions are given."""
    if versions is None:
        return message(version, HELLO, 1)
    bitmap = sum(1 << each for each in versions)
    return message(version, HELLO, 1, struct.pack("!HHI", 1, 8, bitmap))


def features(version: int, xid: int, datapath_id: int = 1) -> bytes:
    """ofp_switch_features"""
    return message(version, FEATURES, xid, struct.pack("!QIBBxxII", datapath_id, 0, 254, 0, 0, 0))


def description(version: int, xid: int, text: bytes, flags: int = 0) -> bytes:
    """ofp_desc with a name of the datapath and no other text."""
    return multipart(version, DESCRIPTION, xid, bytes(800) + text.ljust(256, b"\0"), flags)


def port(version: int, number: int, name: bytes, properties: bytes = b"") -> bytes:
    """ofp_port"""
    if version == V1_3:
        return struct.pack("!Ixxxx6sxx16s8I", number, bytes(6), name, *[0] * 8)
    length = 40 + len(properties)
    return struct.pack("!IHxx6sxx16sII", number, length, bytes(6), name, 0, 0) + properties


def port_status(version: int, xid: int, reason: int, port: bytes) -> bytes:
    """ofp_port_status"""
    return message(version, PORT_STATUS, xid, struct.pack("!Bxxxxxxx", reason) + port)


def ethernet(length: int = 32) -> bytes:
    """A port's Ethernet property with this length in its header."""
    return struct.pack("!HHxxxx6I", 0, length, *[0] * 6)


def flow_entry(
    match: bytes = b"",
    instructions: bytes = b"",
    length: int | None = None,
    match_length: int | None = None,
    match_type: int = 1,
    cookie: int = 0x6476725F727975,
) -> bytes:
    """ofp_flow_stats; the given lengths override the true ones."""
    claimed = 4 + len(match) if match_length is None else match_length
    matched = struct.pack("!HH", match_type, claimed) + match
    matched += bytes(-len(matched) % 8)
    size = 48 + len(matched) + len(instructions) if length is None else length
    head = struct.pack("!HBxIIHHHHxxxxQQQ", size, 0, 0, 0, 1, 0, 0, 0, cookie, 0, 0)
    return head + matched + instructions


def error(version: int, xid: int, kind: int = 1, code: int = 1, data: bytes = bytes(64)) -> bytes:
    """ofp_error_msg"""
    return message(version, ERROR, xid, struct.pack("!HH", kind, code) + data)
