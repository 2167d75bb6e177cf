"""The checks of a topology's lab: all kinds that apply, but not all pairs."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvr_ryu.lab.proof import sparse
from dvr_ryu.lab.proof.checks import Check, address_checks, reach_checks
from dvr_ryu.lab.proof.connections import Connects
from dvr_ryu.lab.proof.probes import GatewayAnswers, NoPing, Ping
from dvr_ryu.lab.proof.proof import Result, exit_code, render
from dvr_ryu.lab.proof.reach import Reach
from dvr_ryu.lab.proof.sparse import ENOUGH, FEW
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology, parse_topology
from dvr_ryu.topology.topology import Topology


@pytest.fixture(scope="module")
def article() -> Topology:
    return load_topology(examples_dir() / "human-defined-dvr.yaml")


def _kinds(checks: list[Check]) -> Counter[str]:
    return Counter(check.what.partition(",")[0] for check in checks)


def test_the_article_is_checked_for_all_that_it_promises(article: Topology) -> None:
    assert {check.source for check in address_checks(article)} == set(article.instances)
    kinds = _kinds(reach_checks(article))
    assert set(kinds) == {
        "gateway's ARP", "layer 2", "layer 3", "largest packet", "floating IP", "SNAT",
        "isolation",
    }  # fmt: skip
    assert sum(kinds.values()) < 40


def _probes(topology: Topology, kind: type) -> list[Any]:
    return [check.probe for check in reach_checks(topology) if isinstance(check.probe, kind)]


def test_instances_are_seen_by_their_floating_address_else_by_the_routers(
    article: Topology,
) -> None:
    seen = {probe.endpoint.namespace: probe.source for probe in _probes(article, Connects)}
    gateway_port = article.routers["router1"].gateway_port
    assert gateway_port is not None
    assert seen["vm-cirros"] == "2.2.2.100"
    assert seen["vm-vm-64"] == "2.2.2.9"
    assert seen["vm-vm-68"] == gateway_port.ip


def test_every_host_of_a_network_has_its_gateway_asked(article: Topology) -> None:
    asked = {(probe.endpoint.host, probe.address) for probe in _probes(article, GatewayAnswers)}
    assert asked >= {("server-233", "192.168.10.1"), ("server-68", "192.168.10.1")}
    assert asked >= {("server-233", "10.10.10.1"), ("server-68", "10.10.10.1")}


def test_the_largest_packet_is_the_underlays_less_the_tunnels_bytes(article: Topology) -> None:
    sizes = {probe.size for probe in _probes(article, Ping) if probe.size}
    assert sizes == {1500}


CROSSED = """
controller: tcp:10.0.44.1:6653
hosts: {a: {address: 10.0.44.2}, b: {address: 10.0.44.3}}
networks:
  left: {subnets: [{cidr: 10.1.0.0/24}]}
  middle: {subnets: [{cidr: 10.2.0.0/24}]}
  right: {subnets: [{cidr: 10.3.0.0/24, dhcp: false}]}
routers:
  one: {interfaces: [{network: left}, {network: middle}]}
  two: {interfaces: [{network: middle, ip: 10.2.0.254}, {network: right}]}
instances:
  l: {host: a, network: left}
  m1: {host: a, network: middle}
  m2: {host: a, network: middle}
  m3: {host: b, network: middle}
  r: {host: b, network: right}
"""


def test_a_network_between_two_routers() -> None:
    """Both routers are on the network, but its instances know one gateway, and reach only what that
    router reaches.
    """
    topology = parse_topology(CROSSED, "crossed.yaml")
    checks = {(check.what, check.source, check.target) for check in reach_checks(topology)}
    assert ("layer 2, on one host", "m1", "m2") in checks
    assert ("layer 3, across hosts", "l", "m3") in checks
    assert ("isolation", "l", "r") in checks
    assert not {("isolation", "m1", "r"), ("isolation", "m3", "r")} & checks
    assert not any(what.startswith("layer 3") and "r" in names for what, *names in checks)
    assert "r" not in {check.source for check in address_checks(topology)}


OVERLAPPING = """
controller: tcp:10.0.44.1:6653
hosts: {a: {address: 10.0.44.2}}
networks:
  one: {subnets: [{cidr: 10.1.0.0/24}]}
  other: {subnets: [{cidr: 10.1.0.0/24}]}
instances:
  i: {host: a, network: one}
  j: {host: a, network: other}
"""


def test_no_instance_is_isolated_from_an_address_of_its_own() -> None:
    topology = parse_topology(OVERLAPPING, "overlapping.yaml")
    one, other = topology.instances.values()
    assert not Reach(topology).apart(one, other)
    assert not _probes(topology, NoPing)


def test_checks_grow_with_pairs_of_hosts_not_of_instances() -> None:
    instances = "".join(
        f"  {network}-{host}-{number}: {{host: {host}, network: {network}}}\n"
        for network in ("left", "middle")
        for host in ("a", "b")
        for number in range(20)
    )
    text = CROSSED[: CROSSED.index("instances:")] + "instances:\n" + instances
    assert len(reach_checks(parse_topology(text, "many.yaml"))) < 30


def _many_hosts(count: int) -> Topology:
    """So many hosts, each with an instance of two networks that a router joins, and one of another
    network.
    """
    hosts = "".join(f"  h{n}: {{address: 10.0.44.{n}}}\n" for n in range(2, count + 2))
    instances = "".join(
        f"  {network}{n}: {{host: h{n}, network: {network}}}\n"
        for n in range(2, count + 2)
        for network in ("left", "middle", "lonely")
    )
    _, _, rest = CROSSED.partition("networks:")
    networks, _, _ = rest.partition("routers:")
    return parse_topology(
        f"controller: tcp:10.0.44.1:6653\nhosts:\n{hosts}networks:{networks}"
        "  lonely: {subnets: [{cidr: 10.4.0.0/24}]}\n"
        "routers:\n  one: {interfaces: [{network: left}, {network: middle}]}\n"
        f"instances:\n{instances}",
        "hosts.yaml",
    )


def test_checks_grow_with_hosts_not_with_their_pairs() -> None:
    fewer, more = (len(reach_checks(_many_hosts(count))) for count in (20, 40))
    assert more <= 2 * fewer + 10


@pytest.mark.parametrize("kind", ["layer 2", "layer 3", "largest packet"])
def test_of_many_hosts_each_is_in_several_pairs(kind: str) -> None:
    topology = _many_hosts(25)
    hosts: dict[str, set[str]] = {}
    for check in reach_checks(topology):
        if check.what.startswith(kind):
            one, other = (topology.instances[name].host for name in (check.source, check.target))
            hosts.setdefault(one, set()).add(other)
            hosts.setdefault(other, set()).add(one)
    assert hosts.keys() == topology.hosts.keys()
    assert all(len(others - {host}) >= ENOUGH for host, others in hosts.items())


names = st.sets(st.sampled_from([f"h{number}" for number in range(30)]), min_size=2)


@given(names, st.randoms(use_true_random=False))
def test_each_thing_is_in_enough_pairs_and_they_are_few(things: set[str], random: Random) -> None:
    every = [frozenset(pair) for pair in combinations(sorted(things), 2)]
    possible = random.sample(every, random.randint(1, len(every)))
    chosen = [pair for _, pair in sparse.chosen((None, pair) for pair in possible)]
    assert set(chosen) <= set(possible)
    there = {thing for pair in possible for thing in pair}
    for thing in there:
        count = sum(thing in pair for pair in chosen)
        assert count >= min(ENOUGH, sum(thing in pair for pair in possible))
    assert len(chosen) <= max(ENOUGH * len(there), FEW * FEW)


def test_one_failure_is_a_failure() -> None:
    passed = Result("layer 2", "a", "b", True, "answers")
    failed = Result("layer 2", "a", "[c]", False, "[no] answer")
    assert exit_code([passed]) == 0
    assert exit_code([passed, failed]) == 2
    assert render([passed, failed]).row_count == 2
