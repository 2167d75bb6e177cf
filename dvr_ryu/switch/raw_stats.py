"""Keeps Ryu from reading the flow statistics that we asked for: as bytes they are compared, and
Ryu's objects take longer than all the rest of a reconnection.

Answers to other questions, and to other applications' in the same process, are read as ever.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ryu.ofproto import (
    ofproto_parser,
    ofproto_v1_3,
    ofproto_v1_3_parser,
    ofproto_v1_4,
    ofproto_v1_4_parser,
)

_FLAGS = slice(10, 12)
_awaited: set[tuple[Any, int]] = set()


@contextmanager
def left_as_bytes(datapath: Any, xid: int) -> Iterator[None]:
    """Meanwhile, replies to this flow statistics request of a datapath have a `buf` and no body."""
    _awaited.add((datapath, xid))
    try:
        yield
    finally:
        _awaited.discard((datapath, xid))


def _spare(ofproto: Any, parser: Any, usual: Any) -> None:
    @ofproto_parser.register_msg_parser(ofproto.OFP_VERSION)  # type: ignore[untyped-decorator]
    def read(
        datapath: Any, version: int, msg_type: int, msg_len: int, xid: int, buf: bytearray
    ) -> Any:
        if msg_type != ofproto.OFPT_MULTIPART_REPLY or (datapath, xid) not in _awaited:
            return usual(datapath, version, msg_type, msg_len, xid, buf)
        reply = parser.OFPFlowStatsReply(datapath)
        reply.set_headers(version, msg_type, msg_len, xid)
        reply.set_buf(bytes(buf))
        reply.flags = int.from_bytes(buf[_FLAGS], "big")
        return reply


_spare(ofproto_v1_3, ofproto_v1_3_parser, ofproto_v1_3_parser.msg_parser)
_spare(ofproto_v1_4, ofproto_v1_4_parser, ofproto_v1_4_parser.msg_parser)
