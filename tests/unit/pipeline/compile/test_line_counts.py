"""Flows' counters are added up by the lines of flows/ that made the flows."""

from __future__ import annotations

import shutil
import struct
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest

from dvr_ryu.pipeline.compile.basis import Basis
from dvr_ryu.pipeline.compile.flow_stats import FlowCount, FlowDump, split_flow_stats
from dvr_ryu.pipeline.compile.line_counts import UNAVAILABLE, LineCount, LineCounts
from dvr_ryu.pipeline.language.cookie import COOKIE, LEARNED
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from tests import openflow_messages as of

TOPOLOGY = examples_dir() / "human-defined-dvr.yaml"
SHIPPED = flows_dir()


def basis_of(folder: Path = SHIPPED, bridge: str = "br-tun") -> Basis:
    view = HostView(load_topology(TOPOLOGY), "server-233")
    return load_pipelines(folder).planned(bridge, view)


def counted(basis: Basis, packets: int, size: int) -> list[FlowCount]:
    """Every flow of a bridge with these counters."""
    return [FlowCount(each, bytes(4), COOKIE, packets, size) for each in basis.desired()]


def taken(counts: LineCounts, basis: Basis, flows: Iterable[FlowCount]) -> list[LineCount]:
    for _ in counts.follow(basis):
        pass
    counts.count(flows)
    return list(counts.lines())


def total(lines: Iterable[LineCount]) -> tuple[int, int]:
    lines = list(lines)
    return sum(each.packets for each in lines), sum(each.bytes for each in lines)


def flows_by_line(basis: Basis) -> Counter[int]:
    """Line number → its flows, as the flows print themselves."""
    return Counter(flow.location.line for flow in basis.flows() if flow.location)


@pytest.mark.parametrize("bridge", ["br-int", "br-tun"])
def test_each_flow_counts_for_its_line(bridge: str):
    basis = basis_of(bridge=bridge)
    lines = taken(LineCounts(), basis, counted(basis, 3, 200))
    expected = flows_by_line(basis)
    assert total(lines) == (3 * expected.total(), 200 * expected.total())
    for each in lines:
        if each.table == each.flow.table and each.flow.location:
            assert each.packets == 3 * expected[each.flow.location.line], each.flow


def test_a_second_look_adds_only_what_came_since():
    basis, counts = basis_of(), LineCounts()
    once = total(taken(counts, basis, counted(basis, 3, 200)))
    again = total(taken(counts, basis, counted(basis, 3, 200)))
    more = total(taken(counts, basis, counted(basis, 5, 210)))
    assert once == again
    assert more == (once[0] // 3 * 5, once[1] // 200 * 210)


def test_a_removed_flow_keeps_its_packets_and_a_new_one_begins_at_zero():
    basis, counts = basis_of(), LineCounts()
    flows = counted(basis, 10, 1000)
    before = total(taken(counts, basis, flows))
    assert total(taken(counts, basis, flows[1:])) == before
    again = [flows[0]._replace(packets=2, bytes=20), *flows[1:]]
    assert total(taken(counts, basis, again)) == (before[0] + 2, before[1] + 20)


def test_a_flow_that_was_made_anew_between_two_looks_adds_what_it_has():
    basis, counts = basis_of(), LineCounts()
    flows = counted(basis, 10, 1000)
    before = total(taken(counts, basis, flows))
    anew = [flows[0]._replace(packets=4, bytes=40), *flows[1:]]
    assert total(taken(counts, basis, anew)) == (before[0] + 4, before[1] + 40)


def test_a_counter_that_the_switch_does_not_have_counts_for_none():
    basis = basis_of()
    for packets, size in ((UNAVAILABLE, UNAVAILABLE), (5, UNAVAILABLE)):
        assert total(taken(LineCounts(), basis, counted(basis, packets, size))) == (0, 0)


def test_a_flow_that_no_line_makes_counts_for_none():
    basis = basis_of()
    strange = FlowCount(struct.pack("!BH", 77, 5), bytes(4), COOKIE, 9, 9)
    assert total(taken(LineCounts(), basis, [strange])) == (0, 0)


def test_a_learned_flow_counts_for_the_line_that_learns_it():
    """Of three lines that learn into table 20, the one with its priority and timeout."""
    basis = basis_of()
    timeouts = struct.pack("!HH", 0, 30)
    learned = FlowCount(struct.pack("!BH", 20, 2) + b"match", timeouts, LEARNED, 7, 70)
    (line,) = [each for each in taken(LineCounts(), basis, [learned]) if each.packets]
    assert (line.table, line.packets, line.bytes) == (20, 7, 70)
    assert line.flow.table == 10
    assert "learn(table=20,hard_timeout=30,priority=2" in str(line.flow)


def test_counts_follow_a_line_that_moves_in_its_file(tmp_path: Path):
    folder = tmp_path / "flows"
    shutil.copytree(SHIPPED, folder)
    basis, counts = basis_of(folder), LineCounts()
    before = taken(counts, basis, counted(basis, 3, 200))
    file = folder / "br-tun.flows"
    file.write_text(f"# one more line\n{file.read_text()}")
    after = taken(counts, basis_of(folder), counted(basis, 3, 200))
    assert [each.packets for each in after] == [each.packets for each in before]
    for one, other in zip(before, after, strict=True):
        assert one.flow.location and other.flow.location
        assert other.flow.location.line == one.flow.location.line + 1


def test_a_line_that_is_edited_begins_at_zero(tmp_path: Path):
    folder = tmp_path / "flows"
    shutil.copytree(SHIPPED, folder)
    basis, counts = basis_of(folder), LineCounts()
    whole = total(taken(counts, basis, counted(basis, 3, 200)))
    file = folder / "br-tun.flows"
    text = file.read_text()
    assert "limit=4096" in text
    file.write_text(text.replace("limit=4096", "limit=4095", 1))
    after = taken(counts, basis_of(folder), counted(basis, 3, 200))
    (edited,) = [e for e in after if "4095" in str(e.flow) and e.table == e.flow.table]
    assert edited.packets == 0
    assert total(after)[0] < whole[0]


def test_a_host_that_has_left_keeps_its_totals():
    basis, counts = basis_of(), LineCounts()
    before = total(taken(counts, basis, counted(basis, 3, 200)))
    counts.release()
    assert total(counts.lines()) == before


def test_counters_are_read_beside_each_flow():
    entry = bytearray(of.flow_entry(bytes.fromhex("80000004 00000001"), bytes(8)))
    struct.pack_into("!QQ", entry, 32, 1 << 40, 1 << 50)
    struct.pack_into("!HH", entry, 14, 5, 6)
    reply = bytes(16) + bytes(entry) * 2
    identities = [identity for identity, _ in split_flow_stats(reply)]
    dump = FlowDump()
    dump.add(reply)
    assert dump.counted == [
        FlowCount(identity, bytes.fromhex("00050006"), COOKIE, 1 << 40, 1 << 50)
        for identity in identities
    ]


def test_flows_without_packets_are_only_numbered():
    idle = of.flow_entry(bytes.fromhex("80000004 00000001"), bytes(8))
    busy = bytearray(idle)
    struct.pack_into("!Q", busy, 32, 1)
    learned = of.flow_entry(cookie=LEARNED)
    dump = FlowDump()
    dump.add(bytes(16) + idle + bytes(busy) + idle + learned)
    dump.add(bytes(16) + idle)
    assert dump.flows == {COOKIE: 4, LEARNED: 1}
    assert [(each.cookie, each.packets) for each in dump.counted] == [(COOKIE, 1)]
