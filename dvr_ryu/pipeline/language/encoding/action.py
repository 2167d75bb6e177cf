"""An action in bytes of our own, beside Ryu's classes: Ryu 4.34 lacks some of Open vSwitch's
actions and fields, and does not pad some others. `nicira` has the actions' layouts.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from ryu.ofproto import ofproto_common
from ryu.ofproto import ofproto_v1_4 as ofp
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.language.encoding.layout import padded

_HEAD = struct.Struct("!HH")
"""The head of an action: its type, and its length with padding."""


class RawAction(parser.OFPAction):  # type: ignore[misc]
    """One action, which serialises as Ryu's do."""

    def __init__(self, kind: int, body: bytes) -> None:
        parser.OFPActionHeader.__init__(self, kind, padded(_HEAD.size + len(body)))
        self._content = (_HEAD.pack(kind, self.len) + body).ljust(self.len, b"\0")

    def serialize(self, buffer: bytearray, offset: int) -> None:
        """Write it at an offset of a message. The message may be shorter."""
        buffer.extend(bytes(max(0, offset - len(buffer))))
        buffer[offset : offset + self.len] = self._content


def nicira(subtype: int, body: bytes = b"") -> RawAction:
    """One of Nicira's actions; the body follows its subtype."""
    head = struct.pack("!IH", ofproto_common.NX_EXPERIMENTER_ID, subtype)
    return RawAction(ofp.OFPAT_EXPERIMENTER, head + body)


def packed(actions: Iterable[Any]) -> bytes:
    """The actions one after another, Ryu's too, each with the length in its head."""
    content = bytearray()
    for action in actions:
        start = len(content)
        action.serialize(content, start)
        content += bytes(start + action.len - len(content))
    return bytes(content)
