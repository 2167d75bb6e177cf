"""The judge knows from the topology alone which packets should be answered, and seen as whom."""

from __future__ import annotations

import pytest

from dvr_ryu.prove.expectations import Expectations
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.expectation import Service
from dvr_ryu.topology.loading import load_topology, parse_topology
from dvr_ryu.topology.topology import Topology

NORTH_SOUTH = load_topology(examples_dir() / "north-south.yaml")
SHAPES = load_topology(examples_dir() / "shapes.yaml")
ARTICLE = load_topology(examples_dir() / "human-defined-dvr.yaml")
DHCP = load_topology(examples_dir() / "dhcp.yaml")


@pytest.mark.parametrize(
    "client, address, owner, seen",
    [
        # The table of docs/north-south.rst; tests/lab/packets tries these with packets.
        ("a", "2.2.2.102", "instance b", "2.2.2.101"),
        ("a", "2.2.2.103", "instance r", "2.2.2.101"),
        ("r", "2.2.2.101", "instance a", "2.2.2.103"),
        ("d", "2.2.2.101", "instance a", "2.2.2.11"),
        ("a", "3.3.3.101", "instance g", "2.2.2.101"),
        ("g", "2.2.2.101", "instance a", "3.3.3.101"),
        ("a", "2.2.2.110", "instance c", "2.2.2.11"),
        ("r", "2.2.2.110", "instance c", "2.2.2.103"),
        ("c", "2.2.2.102", "instance b", "2.2.2.110"),
        ("d", "2.2.2.110", "instance c", "2.2.2.11"),
        ("outside", "2.2.2.101", "instance a", "2.2.2.1"),
        ("outside", "3.3.3.101", "instance g", "3.3.3.1"),
        ("d", "outside", "host h3", "2.2.2.11"),
        ("a", "outside", "host h3", "2.2.2.101"),
        ("a", "b", "instance b", NORTH_SOUTH.instances["a"].ip),
        ("a", "10.1.0.1", "router r1", NORTH_SOUTH.instances["a"].ip),
    ],
)
def test_packets_that_arrive(client: str, address: str, owner: str, seen: str) -> None:
    expected = Expectations(NORTH_SOUTH).of(client, address)
    assert expected is not None and expected.answered
    assert (str(expected.owner), expected.seen_as) == (owner, seen)


@pytest.mark.parametrize(
    "topology, client, address, reason",
    [
        (NORTH_SOUTH, "g", "r", "nothing leads from y"),
        (NORTH_SOUTH, "outside", "10.1.0.1", "nothing leads from outside"),
        (ARTICLE, "cirros", "lonely-233", "nothing leads from external"),
        (ARTICLE, "lonely-233", "cirros", "no machine has 172.16.5.1 on lonely"),
        (ARTICLE, "outside", "2.2.2.4", "2.2.2.4 leads to no instance"),
        (ARTICLE, "cirros", "192.168.10.77", "no machine has 192.168.10.77 on blue"),
        (DHCP, "z", "10.1.0.11", "z has no route"),
        (SHAPES, "lab-2", "10.1.0.77", "no machine has 10.1.0.77 on web"),
    ],
)
def test_packets_that_do_not(topology: Topology, client: str, address: str, reason: str) -> None:
    expected = Expectations(topology).of(client, address)
    assert expected is not None and not expected.answered
    assert reason in expected.reason


@pytest.mark.parametrize(
    "client, service, owner",
    [
        ("outside", Service("tcp", 80), "instance d"),
        ("b", Service("udp", 5009), "instance a2"),
        ("outside", None, "router r1"),
        ("outside", Service("tcp", 81), None),
        ("outside", Service("udp", 80), None),
    ],
)
def test_forwarded_ports(client: str, service: Service | None, owner: str | None) -> None:
    expected = Expectations(NORTH_SOUTH).of(client, "2.2.2.120", service)
    assert expected is not None and expected.answered == (owner is not None)
    assert owner is None or str(expected.owner) == owner


@pytest.mark.parametrize(
    "topology, client, address",
    [
        (SHAPES, "web-1", "10.1.0.100"),  # a virtual address: who has announced it?
        (SHAPES, "lab-2", "172.16.3.4"),  # an instance routes there, or not
        (NORTH_SOUTH, "a", "s"),  # across another router's external port
        (ARTICLE, "cirros", "2.2.2.100"),  # its own address
    ],
)
def test_the_file_does_not_decide_all(topology: Topology, client: str, address: str) -> None:
    assert Expectations(topology).of(client, address) is None


def test_tenants_with_the_same_addresses_are_apart() -> None:
    """twin-1 has the address of web-1, and reaches its own tenant's machines by theirs."""
    judge = Expectations(SHAPES)
    reached = judge.of("twin-1", SHAPES.instances["twin-2"].ip)
    assert reached is not None and str(reached.owner) == "instance twin-2"
    other = judge.of("web-1", SHAPES.instances["db-2"].ip)
    assert other is not None and str(other.owner) == "instance db-2"


def test_two_routers_that_send_to_each_other_lose_the_packet() -> None:
    text = """
hosts: {h1: {address: 10.0.0.1}}
networks:
  a: {subnets: [{cidr: 10.1.0.0/24}]}
  b: {subnets: [{cidr: 10.2.0.0/24}]}
routers:
  r1:
    interfaces: [{network: a}, {network: b, ip: 10.2.0.1}]
    routes: [{destination: 10.9.0.0/16, nexthop: 10.2.0.2}]
  r2:
    interfaces: [{network: b, ip: 10.2.0.2}]
    routes: [{destination: 10.9.0.0/16, nexthop: 10.2.0.1}]
instances: {i: {host: h1, network: a}}
"""
    expected = Expectations(parse_topology(text, "circle.yaml")).of("i", "10.9.0.1")
    assert expected is not None and "to each other" in expected.reason
