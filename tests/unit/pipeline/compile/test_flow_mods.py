"""Flow-mod messages say what the flows say, and Ryu reads them."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from ryu.ofproto import ofproto_v1_4 as ofp
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes, split_flow_mod, table_of
from dvr_ryu.pipeline.compile.flow_mods import ADD, DELETE_STRICT, delete_by_cookie, flow_mods
from tests.unit.pipeline.flow_text import DATAPATH, as_ryu_reads, flow_mod, lines
from tests.unit.pipeline.flows_in_bytes import few_shapes, flow_bytes, ryus_message

versions = st.sampled_from([4, 5, 6])
xids = st.integers(0, (1 << 32) - 1)


@given(flow_bytes(), versions, xids)
def test_a_flow_is_what_its_message_says(flow: FlowBytes, version: int, xid: int):
    message = flow_mod(version, xid, ADD, flow)
    assert split_flow_mod(message) == flow
    assert message[:2] == bytes((version, 14))
    assert int.from_bytes(message[2:4], "big") == len(message)
    assert len(message) % 8 == 0
    assert int.from_bytes(message[4:8], "big") == xid
    assert table_of(flow.identity) == message[24]


@given(flow_bytes(), versions, xids)
def test_a_deletion_names_the_flow_and_our_cookie_and_does_nothing_else(
    flow: FlowBytes, version: int, xid: int
):
    message = flow_mod(version, xid, DELETE_STRICT, flow)
    identity, value = split_flow_mod(message)
    assert identity == flow.identity
    assert value == flow.value[:16]
    assert message[8:16] == flow.value[8:16]
    assert message[16:24] == b"\xff" * 7 + b"\xfe"
    assert message[25] == DELETE_STRICT
    assert message[36:44] == b"\xff" * 8  # OFPP_ANY and OFPG_ANY: whatever it outputs to
    assert int.from_bytes(message[2:4], "big") == len(message)


@given(st.lists(few_shapes, max_size=12), st.sampled_from([ADD, DELETE_STRICT]))
def test_many_messages_are_those_of_one_flow_each(flows: list[FlowBytes], command: int):
    wanted = dict(flows)
    numbers = range(7, 7 + len(wanted))
    one_each = [
        flow_mod(5, xid, command, FlowBytes(*flow))
        for xid, flow in zip(numbers, wanted.items(), strict=True)
    ]
    assert sorted(flow_mods(5, command, wanted, numbers)) == sorted(one_each)


@given(st.integers(1, (1 << 64) - 1), xids)
def test_what_is_forgotten_has_the_cookie_and_may_be_anywhere(cookie: int, xid: int):
    message = delete_by_cookie(5, cookie, xid)
    read = parser.OFPFlowMod.parser(DATAPATH, 5, 14, len(message), xid, bytearray(message))
    assert int.from_bytes(message[2:4], "big") == len(message)
    assert (read.xid, read.cookie, read.cookie_mask) == (xid, cookie, (1 << 64) - 1)
    assert (read.table_id, read.command) == (ofp.OFPTT_ALL, ofp.OFPFC_DELETE)
    assert not read.match.items()
    assert (read.out_port, read.out_group) == (ofp.OFPP_ANY, ofp.OFPG_ANY)


@settings(max_examples=100, deadline=None)
@given(lines())
def test_ryu_reads_in_our_message_what_it_wrote_itself(line: str):
    ryus = ryus_message(line)
    assert as_ryu_reads(flow_mod(5, 0, ADD, split_flow_mod(ryus))) == as_ryu_reads(ryus)
