"""Encodes one flow without holes as OpenFlow bytes, by Ryu's classes. It runs once for a line, not
once for a row: Ryu's objects are slow.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from ryu.ofproto import ofproto_v1_4 as ofp
from ryu.ofproto import ofproto_v1_4_parser as parser
from ryu.ofproto.ofproto_protocol import ProtocolDesc

from dvr_ryu.errors import DvrError
from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes, split_flow_mod
from dvr_ryu.pipeline.language.actions import build_instructions
from dvr_ryu.pipeline.language.encoding.layout import MATCH, padded
from dvr_ryu.pipeline.language.flow import Flow

_OPENFLOW_14 = ProtocolDesc(ofp.OFP_VERSION)


def encode(flow: Flow) -> FlowBytes:
    """The flow's identity and value. Raises DvrError if the flow is longer than OpenFlow allows: a
    message counts its bytes in 16 bits, and so do its parts. No other number of a flow can be too
    large for its field.
    """
    try:
        message = ryu_flow_mod(flow)
        message.xid = 0
        message.serialize()
    except struct.error as error:
        raise DvrError(
            f"{flow.location}: the flow does not fit into a message of 64 KiB"
        ) from error
    return split_flow_mod(bytes(message.buf))


def ryu_flow_mod(flow: Flow) -> Any:
    """Ryu's OFPFlowMod that adds the flow. Every hole must be filled."""
    return parser.OFPFlowMod(
        _OPENFLOW_14,
        cookie=flow.cookie,
        table_id=flow.table,
        command=ofp.OFPFC_ADD,
        priority=flow.priority,
        idle_timeout=flow.settings.idle_timeout,
        hard_timeout=flow.settings.hard_timeout,
        importance=flow.settings.importance,
        flags=flow.settings.flags,
        match=_Match(each.entry() for each in flow.match),
        instructions=build_instructions((*flow.actions, *filter(None, [flow.goto]))),
    )


class _Match(parser.OFPMatch):  # type: ignore[misc]
    """A match of these entries, instead of Ryu's own: Ryu does not know all fields."""

    def __init__(self, entries: Iterable[bytes]) -> None:
        super().__init__()
        fields = b"".join(entries)
        length = MATCH.size + len(fields)
        content = MATCH.pack(ofp.OFPMT_OXM, length) + fields
        self._content = content.ljust(padded(length), b"\0")

    def serialize(self, buffer: bytearray, offset: int) -> int:
        """Write it over the bytes at an offset of a message; return its length."""
        buffer[offset:] = self._content
        return len(self._content)
