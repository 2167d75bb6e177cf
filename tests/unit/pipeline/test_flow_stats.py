"""A dump is cut into the flows that it tells of."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.flow_mods import ADD
from dvr_ryu.pipeline.flow_stats import split_flow_stats
from dvr_ryu.pipeline.wire import WireFlow, split_flow_mod
from tests.unit.pipeline.flow_text import DATAPATH, as_ryu_reads, flow_mod, lines, read
from tests.unit.pipeline.flows_in_bytes import few_shapes, ryus_message, wire_flows


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


@given(st.lists(wire_flows(), max_size=5), st.lists(few_shapes, max_size=20))
def test_a_dump_holds_the_flows_whatever_their_counters(
    some: list[WireFlow], alike: list[WireFlow]
):
    flows = [*some, *alike]
    assert list(split_flow_stats(_reply(flows))) == flows


@settings(max_examples=50, deadline=None)
@given(st.lists(lines(), max_size=4))
def test_ryu_reads_the_same_flows_in_a_dump(some: list[str]):
    reply = _reply([split_flow_mod(ryus_message(line)) for line in some])
    by_ryu = parser.OFPFlowStatsReply.parser(DATAPATH, 5, 19, len(reply), 9, bytearray(reply)).body
    for line, ryus, split in zip(some, by_ryu, split_flow_stats(reply), strict=True):
        flow, ours = read(line), WireFlow(*split)
        table, priority, cookie, *_, match, instructions = as_ryu_reads(flow_mod(5, 0, ADD, ours))
        assert (table, priority, cookie) == (ryus.table_id, ryus.priority, ryus.cookie)
        assert (table, priority) == (flow.table, flow.priority)
        assert match == sorted(ryus.match.items())
        assert instructions == [each.to_jsondict() for each in ryus.instructions]
