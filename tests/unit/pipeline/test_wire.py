"""Flows as bytes: cut and put together again, in messages that Ryu reads."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ryu.ofproto import ofproto_v1_4 as ofp
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.operands import fill
from dvr_ryu.pipeline.wire import (
    ADD,
    DELETE_STRICT,
    WireFlow,
    canonical_match,
    flow_mods,
    forgetting,
    split_flow_mod,
    split_flow_stats,
    table_of,
)
from tests.unit.pipeline.flow_text import DATAPATH, as_ryu_reads, flow_mod, lines, read, serialised

_OXM = struct.Struct("!HBB")


@st.composite
def match_fields(draw: st.DrawFn) -> list[bytes]:
    """Fields of a match, OpenFlow's own and others, no two of them the same one."""
    heads = st.tuples(st.sampled_from([0x8000, 0x0000, 0x0001, 0xFFFF]), st.integers(0, 255))
    return [
        _OXM.pack(*head, len(payload)) + payload
        for head, payload in zip(
            draw(st.lists(heads, unique=True, max_size=8)),
            draw(st.lists(st.binary(max_size=20), min_size=8, max_size=8)),
            strict=False,
        )
    ]


@st.composite
def wire_flows(draw: st.DrawFn) -> WireFlow:
    table_and_priority = draw(st.binary(min_size=3, max_size=3))
    match = canonical_match(b"".join(draw(match_fields())))
    instructions = b"".join(draw(st.lists(st.binary(min_size=8, max_size=8), max_size=9)))
    value = draw(st.binary(min_size=16, max_size=16)) + instructions
    return WireFlow(table_and_priority + match, value)


versions = st.sampled_from([4, 5, 6])
xids = st.integers(0, (1 << 32) - 1)


@given(match_fields(), st.data())
def test_the_order_of_fields_makes_no_other_match(fields: list[bytes], drawn: st.DataObject):
    shuffled = drawn.draw(st.permutations(fields))
    match = canonical_match(b"".join(fields))
    assert match == canonical_match(b"".join(shuffled))
    assert len(match) == sum(map(len, fields))
    assert canonical_match(match) == match
    assert all(field in match for field in fields)


@given(match_fields())
def test_openflows_own_fields_come_first_and_by_number(fields: list[bytes]):
    match, heads = canonical_match(b"".join(fields)), []
    while match:
        heads.append(_OXM.unpack_from(match)[:2])
        match = match[4 + match[3] :]
    own = [number for kind, number in heads if kind == 0x8000]
    assert own == sorted(own)
    assert [kind for kind, _ in heads[: len(own)]] == [0x8000] * len(own)


@given(wire_flows(), versions, xids)
def test_a_flow_is_what_its_message_says(flow: WireFlow, version: int, xid: int):
    message = flow_mod(version, xid, ADD, flow)
    assert split_flow_mod(message) == flow
    assert message[:2] == bytes((version, 14))
    assert int.from_bytes(message[2:4], "big") == len(message)
    assert len(message) % 8 == 0
    assert int.from_bytes(message[4:8], "big") == xid
    assert table_of(flow.identity) == message[24]


@given(wire_flows(), versions, xids)
def test_a_deletion_names_the_flow_and_our_cookie_and_does_nothing_else(
    flow: WireFlow, version: int, xid: int
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


few_shapes = st.builds(
    lambda head, match, value, instructions: WireFlow(head + match, value + instructions),
    st.sampled_from([b"\0\0\1", b"\0\0\2", b"\1\0\1"]),
    st.sampled_from([b"", b"\x80\0\0\1a", b"\x80\0\0\1b", b"\x80\0\0\2bc"]),
    st.sampled_from([bytes(16), bytes(15) + b"\1", bytes(4) + b"\1" + bytes(11)]),
    st.sampled_from([b"", 8 * b"a", 8 * b"b", 16 * b"c"]),
)


@given(st.lists(few_shapes, max_size=12), st.sampled_from([ADD, DELETE_STRICT]))
def test_many_messages_are_those_of_one_flow_each(flows: list[WireFlow], command: int):
    wanted = dict(flows)
    numbers = range(7, 7 + len(wanted))
    one_each = [
        flow_mod(5, xid, command, WireFlow(*flow))
        for xid, flow in zip(numbers, wanted.items(), strict=True)
    ]
    assert sorted(flow_mods(5, command, wanted, numbers)) == sorted(one_each)


@given(st.integers(1, (1 << 64) - 1), xids)
def test_what_is_forgotten_has_the_cookie_and_may_be_anywhere(cookie: int, xid: int):
    message = forgetting(5, cookie, xid)
    read = parser.OFPFlowMod.parser(DATAPATH, 5, 14, len(message), xid, bytearray(message))
    assert int.from_bytes(message[2:4], "big") == len(message)
    assert (read.xid, read.cookie, read.cookie_mask) == (xid, cookie, (1 << 64) - 1)
    assert (read.table_id, read.command) == (ofp.OFPTT_ALL, ofp.OFPFC_DELETE)
    assert not read.match.items()
    assert (read.out_port, read.out_group) == (ofp.OFPP_ANY, ofp.OFPG_ANY)


@settings(max_examples=100, deadline=None)
@given(lines())
def test_ryu_reads_in_our_message_what_it_wrote_itself(line: str):
    ryus = _wire(line)
    assert as_ryu_reads(flow_mod(5, 0, ADD, split_flow_mod(ryus))) == as_ryu_reads(ryus)


def _wire(line: str) -> bytes:
    """The line as Ryu writes it, on a bridge each of whose ports is number 7."""
    return serialised(fill(read(line), lambda _: 7))


def _stats(flow: WireFlow) -> bytes:
    """The flow as ofp_flow_stats has it (OpenFlow 1.4, 7.3.5.2)."""
    table, priority = struct.unpack_from("!BH", flow.identity)
    idle, hard, flags, importance, cookie = struct.unpack_from("!HHHHQ", flow.value)
    match = struct.pack("!HH", 1, 4 + len(flow.identity) - 3) + flow.identity[3:]
    body = match + bytes(-len(match) % 8) + flow.value[16:]
    head = struct.pack(
        "!HBxIIHHHHHxxQQQ",
        48 + len(body), table, 11, 12, priority, idle, hard, flags, importance, cookie, 13, 14,
    )  # fmt: skip
    return head + body


def _reply(flows: list[WireFlow]) -> bytes:
    body = b"".join(map(_stats, flows))
    return struct.pack("!BBHIHH4x", 5, 19, 16 + len(body), 9, 1, 0) + body


@given(st.lists(wire_flows(), max_size=5))
def test_a_dump_holds_the_flows_whatever_their_counters(flows: list[WireFlow]):
    assert list(split_flow_stats(_reply(flows))) == flows


@settings(max_examples=50, deadline=None)
@given(st.lists(lines(), max_size=4))
def test_ryu_reads_the_same_flows_in_a_dump(some: list[str]):
    reply = _reply([split_flow_mod(_wire(line)) for line in some])
    by_ryu = parser.OFPFlowStatsReply.parser(DATAPATH, 5, 19, len(reply), 9, bytearray(reply)).body
    for line, ryus, split in zip(some, by_ryu, split_flow_stats(reply), strict=True):
        flow, ours = read(line), WireFlow(*split)
        table, priority, cookie, *_, match, instructions = as_ryu_reads(flow_mod(5, 0, ADD, ours))
        assert (table, priority, cookie) == (ryus.table_id, ryus.priority, ryus.cookie)
        assert (table, priority) == (flow.table, flow.priority)
        assert match == sorted(ryus.match.items())
        assert instructions == [each.to_jsondict() for each in ryus.instructions]


@pytest.mark.parametrize("count", range(9))
def test_a_match_of_any_length_is_padded_to_eight_bytes(count: int):
    field = _OXM.pack(0x8000, 0, count) + bytes(count)
    flow = WireFlow(bytes(3) + field, bytes(16) + b"instruct")
    message = flow_mod(4, 1, ADD, flow)
    assert len(message) == 48 + (4 + 4 + count + 7) // 8 * 8 + 8
    assert split_flow_mod(message) == flow
