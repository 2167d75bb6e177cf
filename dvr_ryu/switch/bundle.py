"""One OpenFlow bundle: the switch makes all of a change at one instant, or nothing of it.

OpenFlow 1.4 has bundles (type 33 and 34); 1.3 has them as ONF extension 230, with the same bodies.
This file makes bytes only; `session` sends them and reads the answers.
"""

from __future__ import annotations

import struct

from ryu.ofproto import ofproto_v1_3, ofproto_v1_4

_HEADER = struct.Struct("!BBHI")
_CONTROL = struct.Struct("!IHH")
_ADD = struct.Struct("!IxxH")
_EXPERIMENTER = struct.Struct("!II")
_ONF = 0x4F4E4600

_OPEN_REQUEST = 0
_COMMIT_REQUEST = 4
_DISCARD_REQUEST = 6
_ATOMIC_ORDERED = 3


class Bundle:
    """One bundle: the bytes that open it, add messages to it, and commit or discard it."""

    def __init__(self, version: int, bundle_id: int) -> None:
        self._version = version
        self._id = bundle_id
        self._control_head, (kind, experimenter) = _message_heads(version)
        self._type = bytes((version, kind))
        self._overhead = _HEADER.size + len(experimenter) + _ADD.size
        self._between = experimenter + _ADD.pack(bundle_id, _ATOMIC_ORDERED)

    def opened(self, xid: int) -> bytes:
        """The message that opens it."""
        return self._control(xid, _OPEN_REQUEST)

    def adding(self, message: bytes) -> bytes:
        """The message that adds this one to it, with the added message's own xid."""
        before, between = self.envelope(len(message))
        return before + message[4:8] + between + message

    def envelope(self, length: int) -> tuple[bytes, bytes]:
        """The bytes before and behind the xid in `adding`, for a message of this length."""
        return self._type + (self._overhead + length).to_bytes(2, "big"), self._between

    def committed(self, xid: int) -> bytes:
        """The message that commits it."""
        return self._control(xid, _COMMIT_REQUEST)

    def discarded(self, xid: int) -> bytes:
        """The message that discards it."""
        return self._control(xid, _DISCARD_REQUEST)

    def _control(self, xid: int, request: int) -> bytes:
        body = _CONTROL.pack(self._id, request, _ATOMIC_ORDERED)
        return _message(self._version, self._control_head, xid, body)


def _message_heads(version: int) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    """Type and experimenter head of a bundle's control message, and of its add message."""
    if version >= ofproto_v1_4.OFP_VERSION:
        return (ofproto_v1_4.OFPT_BUNDLE_CONTROL, b""), (ofproto_v1_4.OFPT_BUNDLE_ADD_MESSAGE, b"")
    kind = ofproto_v1_3.OFPT_EXPERIMENTER
    return (
        (kind, _EXPERIMENTER.pack(_ONF, ofproto_v1_3.ONF_ET_BUNDLE_CONTROL)),
        (kind, _EXPERIMENTER.pack(_ONF, ofproto_v1_3.ONF_ET_BUNDLE_ADD_MESSAGE)),
    )


def _message(version: int, head: tuple[int, bytes], xid: int, body: bytes) -> bytes:
    kind, experimenter = head
    length = _HEADER.size + len(experimenter) + len(body)
    return _HEADER.pack(version, kind, length, xid) + experimenter + body
