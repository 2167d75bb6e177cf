"""Which ports of every br-int instances have left, and when these are to be shut."""

from __future__ import annotations

import pytest

from dvr_ryu.switch.instance_ports import LINGER, InstancePorts
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.placement import AS_DECLARED, Placement
from dvr_ryu.topology.view import HostView
from tests.unit.topology.files import topology_file

TOPOLOGY = parse_topology(topology_file(), "t.yaml")
A = TOPOLOGY.instances["a"].device
"""The port of a, which is declared on host one."""


@pytest.fixture
def ports() -> InstancePorts:
    return InstancePorts()


def test_an_instance_is_elsewhere_as_long_as_only_another_host_has_its_port(ports: InstancePorts):
    ports.see("one", ["patch-tun"])
    ports.see("two", ["patch-tun", A])
    assert ports.news and ports.placement(TOPOLOGY).moving == {"a": "two"}
    assert list(ports.to_shut({"a"}, 0)) == []
    ports.see("one", ["patch-tun", A])
    assert ports.news and ports.placement(TOPOLOGY).moving == {}


def test_an_instance_of_several_cards_has_arrived_with_the_last_of_them(ports: InstancePorts):
    """And all that it left is shut: a client on a port that is not would release its lease."""
    cards = "\n      a: {host: one, ports: [{network: blue}, {network: yellow}]}"
    topology = parse_topology(topology_file(instances=cards, floating_ips="{}"), "t.yaml")
    first, second = (card.device for card in topology.cards)
    ports.see("two", [first, second])
    ports.see("one", [first])
    assert ports.placement(topology).moving == {"a": "two"}
    ports.see("one", [first, second])
    assert ports.placement(topology).moving == {}
    assert list(ports.to_shut({}, 100)) == []
    assert set(ports.to_shut({}, 100 + LINGER)) == {("two", first), ("two", second)}
    ports.see("two", [second])
    assert ports.placement(topology).moving == {}
    assert list(ports.to_shut({}, 200)) == [("two", second)]


def test_what_it_left_is_shut_after_a_while(ports: InstancePorts):
    ports.see("two", [A])
    ports.see("one", [A])
    ports.placement(TOPOLOGY)
    assert list(ports.to_shut({}, 100)) == []
    assert list(ports.to_shut({}, 100 + LINGER)) == [("two", A)]
    ports.see("two", [])
    ports.placement(TOPOLOGY)
    assert list(ports.to_shut({}, 200)) == []


def test_a_host_that_departed_stays_until_the_ports_left_there_are_shut(ports: InstancePorts):
    ports.see("three", ["patch-tun", A])
    assert ports.placement(TOPOLOGY) == AS_DECLARED
    still_there = Placement({"a": "three"}, frozenset({"three"}))
    assert ports.placement(TOPOLOGY, ["three", "four"]) == still_there
    ports.see("one", [A])
    assert ports.placement(TOPOLOGY, ["three"]) == Placement({}, frozenset({"three"}))
    ports.see("three", ["patch-tun"])
    assert ports.placement(TOPOLOGY, ["three"]) == AS_DECLARED


def test_no_instance_is_on_a_host_that_is_not_there(ports: InstancePorts):
    ports.see("three", [A])
    ports.see("two", [A])
    ports.see("two", [])
    assert ports.placement(TOPOLOGY).moving == {}


# Instances that are where others plug them in ----------------------------------------------------

ROAMING = parse_topology(
    topology_file(instances="{a: {network: blue, plugged: true}}", floating_ips="{}"), "t.yaml"
)
R = ROAMING.instances["a"].device
HOME = ROAMING.instances["a"].host
AWAY = next(host for host in ROAMING.hosts if host != HOME)


def test_a_roaming_instance_is_where_it_is_plugged_in(ports: InstancePorts):
    assert ports.placement(ROAMING) == AS_DECLARED
    ports.see(AWAY, ["patch-tun", R])
    assert ports.placement(ROAMING) == Placement(roaming={"a": AWAY})
    # It stays there, and no port of others is ever shut.
    ports.see(HOME, [R])
    assert ports.placement(ROAMING).roaming == {"a": AWAY}
    assert list(ports.to_shut({}, 100)) == list(ports.to_shut({}, 200)) == []
    ports.see(AWAY, [])
    assert ports.placement(ROAMING).roaming == {"a": HOME}
    ports.see(HOME, [])
    assert ports.placement(ROAMING) == AS_DECLARED


def test_it_moves_to_a_host_where_it_is_plugged_in_and_announces_itself(ports: InstancePorts):
    ports.see(HOME, [R])
    assert ports.placement(ROAMING).roaming == {"a": HOME}
    ports.see(AWAY, [R])
    ports.placement(ROAMING)
    assert ports.announced("a", AWAY) and ports.news
    assert not ports.announced("a", AWAY)
    assert ports.placement(ROAMING).roaming == {"a": AWAY}
    assert ports.hosts_of(R) == sorted([HOME, AWAY])


def test_all_hosts_are_ready_for_a_roaming_instance():
    """So its move changes nothing but its own host."""
    moved = ROAMING.with_roaming({"a": AWAY})
    assert moved.instances["a"].host == AWAY and moved.local_vlans == ROAMING.local_vlans
    assert moved.service_ports == ROAMING.service_ports and moved.hosts == ROAMING.hosts
    for host in ROAMING.hosts:
        assert "blue" in ROAMING.local_vlans[host]
        for topology in (ROAMING, moved):
            assert [each.name for each in HostView(topology, host).local_routers] == ["r1"]
