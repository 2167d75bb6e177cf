"""`expect:` in the model: its lines in order, with their defaults; nothing else depends on them."""

from __future__ import annotations

from attrs import evolve

from dvr_ryu.topology.expectation import Expectation, Service
from dvr_ryu.topology.loading import parse_topology
from tests.unit.topology.files import topology_file

LINES = """
  - {from: a, to: b}
  - {from: a, to: b, port: 80/tcp, seen_as: 192.168.1.9}
  - {from: one, to: 2.2.2.10, port: 53/udp, reach: false}
"""


def test_the_lines_are_in_the_model() -> None:
    topology = parse_topology(topology_file(expect=LINES), "expected.yaml")
    assert topology.expected == (
        Expectation("a", "b"),
        Expectation("a", "b", Service("tcp", 80), True, "192.168.1.9"),
        Expectation("one", "2.2.2.10", Service("udp", 53), False),
    )
    assert [str(each) for each in topology.expected] == [
        "a reaches b",
        "a reaches b 80/tcp, seen as 192.168.1.9",
        "one does not reach 2.2.2.10 53/udp",
    ]


def test_they_change_nothing_else() -> None:
    without = parse_topology(topology_file(), "plain.yaml")
    assert evolve(parse_topology(topology_file(expect=LINES), "x"), expected=()) == without
