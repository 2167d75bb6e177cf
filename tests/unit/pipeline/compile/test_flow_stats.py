"""A dump is cut into the flows that it tells of."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.errors import SwitchError
from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes, split_flow_mod
from dvr_ryu.pipeline.compile.flow_mods import ADD
from dvr_ryu.pipeline.compile.flow_stats import split_flow_stats
from tests import openflow_messages as of
from tests.unit.pipeline.flow_text import DATAPATH, as_ryu_reads, flow_mod, lines, read
from tests.unit.pipeline.flows_in_bytes import few_shapes, flow_bytes, ryus_message


def _stats(flow: FlowBytes) -> bytes:
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


def _reply(flows: list[FlowBytes]) -> bytes:
    body = b"".join(map(_stats, flows))
    return struct.pack("!BBHIHH4x", 5, 19, 16 + len(body), 9, 1, 0) + body


@given(st.lists(flow_bytes(), max_size=5), st.lists(few_shapes, max_size=20))
def test_a_dump_holds_the_flows_whatever_their_counters(
    some: list[FlowBytes], alike: list[FlowBytes]
):
    flows = [*some, *alike]
    assert list(split_flow_stats(_reply(flows))) == flows


@settings(max_examples=50, deadline=None)
@given(st.lists(lines(), max_size=4))
def test_ryu_reads_the_same_flows_in_a_dump(some: list[str]):
    reply = _reply([split_flow_mod(ryus_message(line)) for line in some])
    by_ryu = parser.OFPFlowStatsReply.parser(DATAPATH, 5, 19, len(reply), 9, bytearray(reply)).body
    for line, ryus, split in zip(some, by_ryu, split_flow_stats(reply), strict=True):
        flow, ours = read(line), FlowBytes(*split)
        table, priority, cookie, *_, match, instructions = as_ryu_reads(flow_mod(5, 0, ADD, ours))
        assert (table, priority, cookie) == (ryus.table_id, ryus.priority, ryus.cookie)
        assert (table, priority) == (flow.table, flow.priority)
        assert match == sorted(ryus.match.items())
        assert instructions == [each.to_jsondict() for each in ryus.instructions]


ENTRY = of.flow_entry(bytes.fromhex("80000004 00000001"), bytes(8))
"""With a match of in_port."""
MALFORMED = {
    "length 0": (of.flow_entry(length=0), "a match of length 4 in an entry of length 0"),
    "length 1": (of.flow_entry(length=1), "an entry of length 1"),
    "length 48": (of.flow_entry(length=48), "a match of length 4 in an entry of length 48"),
    "length 55": (of.flow_entry(length=55), "an entry of length 55"),
    "length 65535": (of.flow_entry(length=65535), "an entry of length 65535"),
    "match of length 0": (of.flow_entry(match_length=0), "a match of length 0"),
    "match of length 3": (of.flow_entry(match_length=3), "a match of length 3"),
    "match of length 9": (of.flow_entry(match_length=9), "a match of length 9"),
    "match of length 65535": (of.flow_entry(match_length=65535), "a match of length 65535"),
    "match of type 0": (of.flow_entry(match_type=0), "a match of type 0"),
    "cut field": (of.flow_entry(bytes.fromhex("80000005 00000001")), "last field is cut"),
    "half a field": (of.flow_entry(bytes.fromhex("8000")), "last field is cut"),
    "one byte": (b"\0", "end 1 bytes after an entry began"),
    "cut entry": (ENTRY[:-1], f"an entry of length {len(ENTRY)}"),
    "cut head": (ENTRY[:51], "end 51 bytes after"),
}


@pytest.mark.parametrize("before", [b"", ENTRY, 3 * ENTRY])
@pytest.mark.parametrize("name", MALFORMED)
def test_what_does_not_fit_is_refused(name: str, before: bytes) -> None:
    entry, message = MALFORMED[name]
    with pytest.raises(SwitchError, match=message):
        list(split_flow_stats(of.multipart(5, of.FLOWS, 1, before + entry)))


@settings(deadline=None)
@given(
    st.lists(st.sampled_from([ENTRY, of.flow_entry(), *(each for each, _ in MALFORMED.values())])),
    st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=4),
    st.binary(max_size=60),
)
def test_any_bytes_are_cut_or_refused(
    entries: list[bytes], changed: list[tuple[int, int]], more: bytes
) -> None:
    body = bytearray(b"".join(entries) + more)
    for at, byte in changed:
        body[at : at + 1] = bytes((byte,)) if at < len(body) else b""
    try:
        flows = list(split_flow_stats(of.multipart(5, of.FLOWS, 1, bytes(body))))
    except SwitchError:
        return
    assert len(flows) <= len(body) // 56
