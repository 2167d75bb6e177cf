"""The headers and message types of OpenFlow 1.4, enough to split a stream into messages. Pure, no
Ryu.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

VERSION = 5
"""The version field of OpenFlow 1.4."""

HELLO, ERROR, ECHO_REQUEST, ECHO_REPLY = 0, 1, 2, 3
FEATURES_REQUEST, FEATURES_REPLY, PORT_STATUS, FLOW_MOD = 5, 6, 12, 14
MULTIPART_REQUEST, MULTIPART_REPLY, BARRIER_REQUEST, BARRIER_REPLY = 18, 19, 20, 21
BUNDLE_CONTROL, BUNDLE_ADD = 33, 34

DESCRIPTION, FLOW_STATS, PORT_DESCRIPTION = 0, 1, 13
"""Types of multipart messages."""

_HEADER = struct.Struct("!BBHI")
_MULTIPART = struct.Struct("!HHxxxx")
_MORE = 1


class Message(NamedTuple):
    """One message. `body` is the part after the header."""

    kind: int
    xid: int
    body: bytes

    def packed(self) -> bytes:
        """The bytes of the message."""
        return _HEADER.pack(VERSION, self.kind, _HEADER.size + len(self.body), self.xid) + self.body

    @property
    def multipart_type(self) -> int:
        """The type of a multipart request or reply."""
        kind: int = _MULTIPART.unpack_from(self.body)[0]
        return kind

    def is_about(self, what: int) -> bool:
        """Whether this is a multipart request or reply of this type."""
        return self.kind in {MULTIPART_REQUEST, MULTIPART_REPLY} and self.multipart_type == what

    @property
    def more(self) -> bool:
        """Whether another part of a multipart reply follows."""
        return bool(_MULTIPART.unpack_from(self.body)[1] & _MORE)

    @property
    def content(self) -> bytes:
        """The part of a multipart message after its header."""
        return self.body[_MULTIPART.size :]


def multipart(kind: int, xid: int, what: int, content: bytes = b"") -> Message:
    """A multipart request or reply, of one part."""
    return Message(kind, xid, _MULTIPART.pack(what, 0) + content)


class Cutter:
    """Splits a stream that arrives in pieces into messages."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[Message]:
        """Yield the messages that are complete with this piece."""
        stream = self._rest + piece
        at = 0
        while len(stream) - at >= _HEADER.size:
            _, kind, length, xid = _HEADER.unpack_from(stream, at)
            if len(stream) - at < length:
                break
            yield Message(kind, xid, stream[at + _HEADER.size : at + length])
            at += length
        self._rest = stream[at:]


def changes(messages: Iterable[Message]) -> list[Message]:
    """The messages of a controller that change flows, and its barriers."""
    return [
        each
        for each in messages
        if each.kind in {FLOW_MOD, BUNDLE_CONTROL, BUNDLE_ADD, BARRIER_REQUEST}
    ]


def flow_mods(messages: Iterable[Message]) -> int:
    """The number of flow-mods among them, in bundles or alone."""
    return sum(1 for each in messages if each.kind in {FLOW_MOD, BUNDLE_ADD})
