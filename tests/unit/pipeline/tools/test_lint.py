"""Warnings about whole pipelines: each at its place, none where all is well, none that is wrong."""

from __future__ import annotations

import sys
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.errors import FileError, Problem
from dvr_ryu.pipeline.language.field_match import FieldMatch
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.syntax import parse_pipeline
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.pipeline.tools import lint
from dvr_ryu.pipeline.tools.lint.packets import packets_of, take_all
from dvr_ryu.shipped import flows_dir
from tests.unit.pipeline.language.bad_flows import MARK

Cases = dict[str, tuple[str, ...]]
"""Name → marked text, then a phrase of each message."""

MAC = "fa:16:3e:00:00:01"
SHADOWED: Cases = {
    "by the same match": (
        "priority=9,arp actions=drop\n  §arp,priority=8 actions=NORMAL",
        "line 2 matches the same packets with priority 9; remove one of them",
    ),
    "by the default priority": (
        "arp actions=drop\n  §priority=8,arp,arp_op=1 actions=ALL",
        "32768",
    ),
    "by a prerequisite": (
        "priority=9,ip actions=drop\n  §priority=8,tcp,tcp_dst=80 actions=ALL",
        "",
    ),
    "by a shorter prefix": (
        "priority=9,ip,nw_src=10.0.0.0/8 actions=drop\n"
        "  §priority=8,ip,nw_src=10.1.0.0/16,nw_dst=10.0.0.1 actions=ALL",
        "line 2",
    ),
    "by some bits": (
        "priority=9,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=drop\n"
        "  §priority=8,dl_dst=ff:ff:ff:ff:ff:ff actions=ALL",
        "line 2",
    ),
    "by any tag": (
        "priority=9,vlan_tci=0x1000/0x1000 actions=drop\n  §priority=8,dl_vlan=3 actions=ALL",
        "line 2",
    ),
    "by any tag, before a hole": (
        "priority=9,vlan_tci=0x1000/0x1000 actions=drop\n"
        "  each network:\n    §priority=8,dl_vlan={network.vlan} actions=ALL",
        "line 2",
    ),
    "by the same hole": (
        "each network:\n    priority=9,dl_vlan={network.vlan} actions=drop\n"
        f"    §priority=8,dl_vlan={{network.vlan}},dl_dst={MAC} actions=ALL",
        "line 3",
    ),
    "by the same hole in another block": (
        "each network:\n    priority=9,dl_vlan={network.vlan} actions=drop\n"
        "  arp,priority=10 actions=drop\n"
        "  each network:\n    §priority=8,dl_vlan={network.vlan} actions=ALL",
        "line 3 matches the same",
    ),
    "by a hole of the host": (
        "priority=9,dl_src={host.dvr_mac} actions=drop\n"
        "  each network:\n    §priority=8,dl_vlan={network.vlan},dl_src={host.dvr_mac} actions=ALL",
        "line 2",
    ),
    "by a port's name": (
        "priority=9,in_port=patch-int actions=drop\n"
        "  §priority=8,in_port=patch-int,arp actions=ALL",
        "line 2",
    ),
    "by a flow of its priority that does the same": (
        "arp actions=drop\n  §arp,arp_op=1 actions=drop",
        "is not needed: line 2 does the same with all its packets; remove it",
    ),
    "on a continuation line": (
        "priority=9,ip actions=drop\n  §priority=8, \\\n    ip actions=ALL",
        "line 2",
    ),
}
NOT_SHADOWED = {
    "a lower priority": "priority=1,arp actions=drop\n  priority=2,arp,arp_op=1 actions=ALL",
    "the narrower first": "arp,arp_op=1 actions=drop\n  arp actions=drop",
    "another field": "priority=9,arp actions=drop\n  priority=8,dl_vlan=3 actions=ALL",
    "another value": "priority=9,dl_vlan=4 actions=drop\n  priority=8,dl_vlan=3 actions=ALL",
    "more bits": (
        "priority=9,ip,nw_src=10.1.0.0/16 actions=drop\n"
        "  priority=8,ip,nw_src=10.0.0.0/8 actions=ALL"
    ),
    "another hole": (
        "each gateway:\n    priority=9,dl_src={gateway.mac} actions=drop\n"
        "    priority=8,dl_src={host.dvr_mac} actions=ALL"
    ),
    "a hole before a number": (
        "each network:\n    priority=9,dl_vlan={network.vlan} actions=drop\n"
        "  priority=8,dl_vlan=3 actions=ALL"
    ),
    "a block that may have no rows": (
        "each network:\n    priority=9,arp actions=drop\n  priority=8,arp actions=ALL"
    ),
    "a list of ports that may be empty": (
        "each network:\n    priority=9,dl_vlan={network.vlan} actions=output:{network.flood}\n"
        "    priority=8,dl_vlan={network.vlan} actions=drop"
    ),
    "two that only together take all": (
        "priority=9,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=drop\n"
        "  priority=9,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=drop\n"
        "  priority=8,arp actions=ALL"
    ),
}

WHOLE_FILES: Cases = {
    "a flow for all before others": (
        "table 0 A\n  priority=9 actions=NORMAL\n  §priority=2,arp actions=drop\n  §miss: ALL\n",
        "is never reached: line 2 takes all its packets with priority 9; give it a higher",
        "line 2 matches the same",
    ),
    "a flow for all after others": (
        "table 0 A\n  §priority=2,arp actions=drop\n  priority=9 actions=NORMAL\n",
        "line 3 takes all its packets",
    ),
    "a table that nobody goes to": (
        "table 0 A\n  miss: drop\ntable 1 §B\n  miss: drop\n",
        "no flow goes to B; add goto_table:B where its packets come from, or remove the table",
    ),
    "a table after one that nobody goes to": (
        "table 0 A\n  miss: drop\ntable 1 §B\n  miss: goto_table:C\ntable 2 §C\n  miss: drop\n",
        "no flow goes to B",
        "only tables that no packet reaches go to C",
    ),
    "tables that go in a circle": (
        "table 0 A\n  miss: drop\n"
        "table 1 §B\n  miss: resubmit(,2)\ntable 2 §C\n  miss: resubmit(,1)",
        "only tables that no packet reaches go to B",
        "only tables that no packet reaches go to C",
    ),
    "a table that is only learned into": (
        "table 0 A\n  miss: learn(table=1,in_port),output:1\ntable 1 §B\n  miss: drop\n",
        "no flow goes to B",
    ),
    "no table 0": ("table 1 §A\n  miss: goto_table:2\ntable 2 B\n  miss: drop\n", "at table 0"),
    "a table without a miss": (
        "table 0 §A\n  arp actions=drop\n",
        "A has no flow for some packets, so they are dropped; say so with",
    ),
    "an empty table": ("table 0 §A\n", "A has no flow for some packets"),
    "a miss in a block only": (
        "table 0 §A\n  each network:\n    priority=0 actions=drop\n",
        "A has no flow for some packets",
    ),
    "one half of all": (
        "table 0 §A\n  dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=drop\n",
        "A has no flow for some packets",
    ),
    "both about one table": (
        "table 0 A\n  miss: drop\ntable 1 §§B\n  arp actions=drop\n",
        "B has no flow for some packets",
        "no flow goes to B",
    ),
}
PORTS = {
    "a port of somebody's": ("table 0 A\n  §in_port=veth9 actions=drop\n  miss: drop\n", "veth9"),
    "a port that is sent to": ("table 0 A\n  §miss: clone(output:veth9)\n", "no port 'veth9'"),
    "a port in quotes": ('table 0 A\n  §miss: output:"patch-itn"\n', "no port 'patch-itn'"),
    "a port that is like a device": ("table 0 A\n  §miss: output:tap0\n", "no port 'tap0'"),
}
ALL_WELL = {
    "the ports of br-tun": (
        "table 0 A\n  in_port=patch-int actions=output:vxlan-0a002c40,output:gre-0a002c40\n"
        "  miss: output:br-tun\n"
    ),
    "resubmit goes there": "table 0 A\n  miss: resubmit(,1)\ntable 1 B\n  miss: drop\n",
    "halves that make a whole": (
        "table 0 A\n  dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=drop\n"
        "  dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=ALL\n"
    ),
    "with a tag or without": (
        "table 0 A\n  vlan_tci=0x1000/0x1000 actions=drop\n  vlan_tci=0/0x1fff actions=ALL\n"
    ),
    "a flow for all with a priority": "table 0 A\n  priority=1 actions=NORMAL\n",
}


def _parse(text: str) -> list[Problem]:
    return sorted(lint.problems(parse_pipeline(text, "f.flows", "br-tun")))


def _check(marked: str, phrases: tuple[str, ...]) -> None:
    before, *rest = marked.split(MARK)
    locations = []
    for part in rest:
        locations.append((before.count("\n") + 1, len(before) - before.rfind("\n")))
        before += part
    problems = _parse(before)
    found = [(each.location.line, each.location.column) for each in problems]
    assert found == locations, "\n".join(map(str, problems))
    for problem, phrase, (line, column) in zip(problems, phrases, locations, strict=True):
        assert problem.warning
        assert phrase in problem.message
        first, shown, caret = str(problem).split("\n")
        assert first.startswith(f"f.flows:{line}:{column}: warning: ")
        assert shown == "  " + before.split("\n")[line - 1]
        assert caret == "  " + " " * (column - 1) + "^"


@pytest.mark.parametrize("case", SHADOWED.values(), ids=SHADOWED)
def test_a_flow_that_no_packet_reaches(case: tuple[str, ...]):
    """Each stands in a table with a miss."""
    lines, phrase = case
    _check(f"table 0 A\n  {lines}\n  miss: NORMAL\n", (phrase,))


@pytest.mark.parametrize("lines", NOT_SHADOWED.values(), ids=NOT_SHADOWED)
def test_a_flow_that_some_packet_may_reach(lines: str):
    assert _parse(f"table 0 A\n  {lines}\n  miss: NORMAL\n") == []


@pytest.mark.parametrize("case", WHOLE_FILES.values(), ids=WHOLE_FILES)
def test_a_file_with_its_warnings(case: tuple[str, ...]):
    text, *phrases = case
    _check(text, tuple(phrases))


@pytest.mark.parametrize("case", PORTS.values(), ids=PORTS)
def test_a_port_that_somebody_must_add(case: tuple[str, ...]):
    text, phrase = case
    _check(text, (phrase,))


@pytest.mark.parametrize("text", ALL_WELL.values(), ids=ALL_WELL)
def test_a_table_that_nothing_is_missing_around(text: str):
    assert _parse(text) == []


def test_what_is_shipped_deserves_no_warning():
    folders = {file.parent for file in flows_dir().rglob("*.flows")}
    assert {folder: load_pipelines(folder).warnings for folder in folders} == dict.fromkeys(
        folders, ()
    )


def test_warnings_stop_nothing_and_are_not_reported_beside_errors(tmp_path: Path):
    file = tmp_path / "br-tun.flows"
    file.write_text("table 0 A\n  arp actions=drop\n")
    (warning,) = load_pipelines(tmp_path).warnings
    assert (warning.location.file, warning.location.line) == (str(file), 1)
    file.write_text("table 0 A\n  arp actions=drop\n  arp actions=ALL\n")
    with pytest.raises(FileError) as raised:
        load_pipelines(tmp_path)
    assert [problem.location.line for problem in raised.value.problems] == [3]


# What is said is so -------------------------------------------------------------------------------

CHOICES = [
    ["arp", "ip", "tcp", "ipv6", "arp,arp_op=1", "tcp,tcp_dst=80", "ip,nw_proto=17"],
    ["in_port=1", "in_port=2"],
    ["dl_vlan=3", "dl_vlan=4", "vlan_tci=0x1000/0x1000", "vlan_tci=0/0x1fff", "vlan_tci=0x3/0xf"],
    ["metadata=1/1", "metadata=0/1", "metadata=3/7", "metadata=2"],
    ["dl_dst=01:00:00:00:00:00/01:00:00:00:00:00", "dl_dst=ff:ff:ff:ff:ff:ff"],
]


@st.composite
def _tables(draw: st.DrawFn) -> str:
    """A table of a few flows, each of which says something of two fields at most."""
    lines = ["table 0 A"]
    for _ in range(draw(st.integers(1, 7))):
        fields = draw(st.lists(st.sampled_from(CHOICES), max_size=2, unique_by=id))
        arguments = [
            f"priority={draw(st.integers(0, 3))}",
            *(draw(st.sampled_from(f)) for f in fields),
        ]
        lines.append(f"  {','.join(arguments)} actions=drop")
    return "\n".join(lines)


def _matches(packet: dict[str, int], match: FieldMatch) -> bool:
    """As ovs-fields(7) says it, of a packet that is a number for each field."""
    name, value, mask = match.field.name, match.value, match.mask
    assert isinstance(value, int)
    assert mask is None or isinstance(mask, int)
    if name == "dl_vlan":
        return packet["vlan_tci"] & 0x1FFF == value | 0x1000
    if name == "vlan_vid":
        name, mask = "vlan_tci", 0x1FFF if mask is None else mask
    return (packet[name] ^ value) & (-1 if mask is None else mask) == 0


def _wins(flows: list[Flow], packet: dict[str, int]) -> Flow | None:
    """The flow that takes a packet: the earliest of the highest priority."""
    by_priority = sorted(flows, key=lambda flow: -flow.priority)
    return next(
        (flow for flow in by_priority if all(_matches(packet, each) for each in flow.match)), None
    )


VALUES: dict[str, list[int]] = {
    "in_port": [1, 2, 3],
    "dl_type": [0x0800, 0x0806, 0x86DD, 0x88CC],
    "nw_proto": [1, 6, 17],
    "arp_op": [1, 2],
    "tcp_dst": [80, 81],
    "vlan_tci": [0, 0x1003, 0x1004, 0x1005, 0x3003],
    "metadata": list(range(9)),
    "dl_dst": [0, 1 << 40, (1 << 48) - 1],
}
packets = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()})


@settings(max_examples=300, deadline=None)
@given(_tables(), st.lists(packets, min_size=20, max_size=60))
def test_no_packet_reaches_what_is_reported_as_unreachable(
    text: str, sampled: list[dict[str, int]]
):
    pipeline = parse_pipeline(text, "f", "br-tun")
    flows = list(pipeline.tables[0].flows())
    problems = list(lint.problems(pipeline))
    shadowed = {each.location.line for each in problems if "is n" in each.message}
    for packet in sampled:
        winner = _wins(flows, packet)
        if winner is None:
            assert any("has no flow for some packets" in each.message for each in problems)
        else:
            assert winner.location and winner.location.line not in shadowed


def _cubes() -> st.SearchStrategy[list[str]]:
    cube = st.tuples(st.integers(0, 7), st.integers(0, 7), st.integers(0, 3), st.integers(0, 3))
    notation = "metadata={:#x}/{:#x},tun_id={:#x}/{:#x}"
    return st.lists(
        cube.map(lambda c: notation.format(c[0] & c[1], c[1], c[2] & c[3], c[3])), max_size=8
    )


@settings(max_examples=200, deadline=None)
@given(_cubes())
def test_flows_take_all_just_where_every_packet_is_taken(cubes: list[str]):
    text = "\n".join(["table 0 A", *(f"  {cube} actions=drop" for cube in cubes)])
    flows = list(parse_pipeline(text, "f", "br-tun").tables[0].flows())
    everything: list[dict[str, Any]] = [
        {"metadata": low, "tun_id": high} for low, high in product(range(8), range(4))
    ]
    assert take_all(map(packets_of, flows)) == all(_wins(flows, each) for each in everything)


def _steps(lines: list[str]) -> int:
    """How many calls of Python's it takes to read a table of these lines and to look at it."""
    count = 0

    def called(*_: object) -> None:
        nonlocal count
        count += 1

    sys.setprofile(called)
    try:
        _parse("table 0 A\n" + "".join(f"  {line}\n" for line in lines) + "  miss: drop\n")
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    "notation",
    [
        "priority=1, dl_vlan={0}, dl_dst=02:00:00:00:00:01 actions=output:{0}",
        "priority={0}, ip actions=drop",
        "priority=1, in_port=veth{0} actions=drop",
        "priority=1, reg0={0} actions=output:{0}\n  priority=2, reg1={0} actions=output:2",
    ],
)
def test_twice_the_flows_take_twice_the_steps(notation: str):
    few, many = (
        _steps([notation.format(at) for at in range(1, count + 1)]) for count in (200, 400)
    )
    assert many < 2.2 * few
