"""A bundle is what Ryu writes and reads, in OpenFlow 1.4 and newer, and as 1.3's extension."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from ryu.ofproto import (
    ofproto_parser,
    ofproto_v1_3,
    ofproto_v1_3_parser,
    ofproto_v1_4,
    ofproto_v1_4_parser,
    ofproto_v1_5,
)
from ryu.ofproto.ofproto_protocol import ProtocolDesc

from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes
from dvr_ryu.pipeline.compile.flow_mods import ADD, flow_mods
from dvr_ryu.switch.bundle import Bundle

numbers = st.integers(0, (1 << 32) - 1)
flows = st.builds(
    lambda table, actions: FlowBytes(bytes((table, 0, 5)), bytes(16) + actions),
    st.integers(0, 254),
    st.lists(st.just(b"\x00\x01\x00\x08\x07\x00\x00\x00"), max_size=3).map(b"".join),
)


def bundle(
    version: int, bundle_id: int, open_xid: int, commit_xid: int, inner: list[bytes]
) -> bytes:
    made = Bundle(version, bundle_id)
    return made.opened(open_xid) + b"".join(map(made.adding, inner)) + made.committed(commit_xid)


def _cut(stream: bytes) -> list[bytes]:
    messages = []
    while stream:
        length = int.from_bytes(stream[2:4], "big")
        assert 8 <= length <= len(stream)
        messages.append(stream[:length])
        stream = stream[length:]
    return messages


def _read(message: bytes) -> Any:
    """Ryu's own reading of the message."""
    version, kind, length, xid = ofproto_parser.header(message)
    assert length == len(message)
    return ofproto_parser.msg(ProtocolDesc(version), version, kind, length, xid, bytearray(message))


def _check_control(message: bytes, bundle_id: int, xid: int, kind: int, flags: int) -> None:
    read = _read(message)
    assert (read.bundle_id, read.type, read.flags, read.xid) == (bundle_id, kind, flags, xid)
    assert read.properties == []


@given(numbers, numbers, numbers, st.dictionaries(numbers, flows, max_size=9))
def test_openflow_1_4(bundle_id: int, open_xid: int, commit_xid: int, some: dict[int, FlowBytes]):
    wanted = dict(some.values())
    inner = list(flow_mods(5, ADD, wanted, list(some)[: len(wanted)]))
    first, *adds, last = _cut(bundle(5, bundle_id, open_xid, commit_xid, inner))
    ofp, parser = ofproto_v1_4, ofproto_v1_4_parser
    flags = ofp.OFPBF_ATOMIC | ofp.OFPBF_ORDERED
    _check_control(first, bundle_id, open_xid, ofp.OFPBCT_OPEN_REQUEST, flags)
    _check_control(last, bundle_id, commit_xid, ofp.OFPBCT_COMMIT_REQUEST, flags)
    assert isinstance(_read(first), parser.OFPBundleCtrlMsg)
    datapath = ProtocolDesc(5)
    for message, one in zip(adds, inner, strict=True):
        read = _read(one)
        theirs = parser.OFPBundleAddMsg(datapath, bundle_id, flags, read, [])
        theirs.set_xid(read.xid)
        theirs.serialize()
        assert message[:16] == bytes(theirs.buf)[:16]
        assert message[16:] == one
        assert _read(message[16:]).table_id == one[24]


@given(numbers, numbers, numbers, st.dictionaries(numbers, flows, max_size=9))
def test_openflow_1_3(bundle_id: int, open_xid: int, commit_xid: int, some: dict[int, FlowBytes]):
    wanted = dict(some.values())
    inner = list(flow_mods(4, ADD, wanted, list(some)[: len(wanted)]))
    first, *adds, last = _cut(bundle(4, bundle_id, open_xid, commit_xid, inner))
    ofp, parser = ofproto_v1_3, ofproto_v1_3_parser
    flags = ofp.ONF_BF_ATOMIC | ofp.ONF_BF_ORDERED
    _check_control(first, bundle_id, open_xid, ofp.ONF_BCT_OPEN_REQUEST, flags)
    _check_control(last, bundle_id, commit_xid, ofp.ONF_BCT_COMMIT_REQUEST, flags)
    assert isinstance(_read(first), parser.ONFBundleCtrlMsg)
    datapath = ProtocolDesc(4)
    for message, one in zip(adds, inner, strict=True):
        read = _read(one)
        theirs = parser.ONFBundleAddMsg(datapath, bundle_id, flags, read, [])
        theirs.set_xid(read.xid)
        theirs.serialize()
        assert message[:24] == bytes(theirs.buf)[:24]
        assert message[24:] == one
        assert _read(message).exp_type == ofp.ONF_ET_BUNDLE_ADD_MESSAGE


def test_newer_protocols_have_the_same_bundle_with_their_own_version():
    inner = list(flow_mods(6, ADD, {bytes(3): bytes(16)}, [7]))
    messages = _cut(bundle(6, 1, 2, 3, inner))
    assert [message[0] for message in messages] == [6, 6, 6]
    control, add = ofproto_v1_5.OFPT_BUNDLE_CONTROL, ofproto_v1_5.OFPT_BUNDLE_ADD_MESSAGE
    assert [message[1] for message in messages] == [control, add, control]


def test_an_empty_bundle_opens_and_commits():
    assert len(_cut(bundle(5, 1, 2, 3, []))) == 2
