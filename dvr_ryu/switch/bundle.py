"""A change of many flows as one OpenFlow bundle: the switch makes all of it at one instant, or none
of it.

OpenFlow 1.4 has bundles (type 33 and 34); 1.3 has them as ONF extension 230, with the same bodies.
Bytes only: who sends them and who reads the answer is `session`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from ryu.ofproto import ofproto_v1_3, ofproto_v1_4

from dvr_ryu.pipeline.wire import xid_of

_HEADER = struct.Struct("!BBHI")
_CONTROL = struct.Struct("!IHH")
_ADD = struct.Struct("!IxxH")
_EXPERIMENTER = struct.Struct("!II")
_ONF = 0x4F4E4600

_OPEN_REQUEST = 0
_COMMIT_REQUEST = 4
_ATOMIC_ORDERED = 3


def bundle(
    version: int, bundle_id: int, open_xid: int, commit_xid: int, messages: Sequence[bytes]
) -> bytes:
    """The bytes that open a bundle, add each message to it (with the message's own xid) and commit
    it.
    """
    control, add = _message_heads(version)
    opened = _CONTROL.pack(bundle_id, _OPEN_REQUEST, _ATOMIC_ORDERED)
    committed = _CONTROL.pack(bundle_id, _COMMIT_REQUEST, _ATOMIC_ORDERED)
    add_body = _ADD.pack(bundle_id, _ATOMIC_ORDERED)
    parts = [_message(version, control, open_xid, opened)]
    for message in messages:
        parts.append(_message(version, add, xid_of(message), add_body + message))
    parts.append(_message(version, control, commit_xid, committed))
    return b"".join(parts)


def _message_heads(version: int) -> tuple[tuple[int, bytes], tuple[int, bytes]]:
    """Type and experimenter head of a bundle's control message, and of the one that adds a
    message.
    """
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
