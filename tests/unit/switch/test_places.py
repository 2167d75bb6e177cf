"""Where instances are, by the ports of every br-int, and which ports they have left."""

from __future__ import annotations

import pytest

from dvr_ryu.switch.places import LINGER, Places
from dvr_ryu.topology.loading import parse_topology
from tests.unit.topology.files import topology_file

TOPOLOGY = parse_topology(topology_file(), "t.yaml")
A = TOPOLOGY.instances["a"].device
"""The port of a, which is declared on host one."""


@pytest.fixture
def places() -> Places:
    return Places()


def test_an_instance_is_away_as_long_as_only_another_host_has_its_port(places: Places):
    places.see("one", ["patch-tun"])
    places.see("two", ["patch-tun", A])
    assert places.news and places.away(TOPOLOGY) == {"a": "two"}
    assert list(places.outlived({"a"}, 0)) == []
    places.see("one", ["patch-tun", A])
    assert places.news and places.away(TOPOLOGY) == {}


def test_an_instance_of_several_cards_has_arrived_with_the_last_of_them(places: Places):
    """And all that it left is shut: a client on a port that is not would release its lease."""
    cards = "\n      a: {host: one, ports: [{network: blue}, {network: yellow}]}"
    topology = parse_topology(topology_file(instances=cards, floating_ips="{}"), "t.yaml")
    first, second = (card.device for card in topology.cards)
    places.see("two", [first, second])
    places.see("one", [first])
    assert places.away(topology) == {"a": "two"}
    places.see("one", [first, second])
    assert places.away(topology) == {}
    assert list(places.outlived({}, 100)) == []
    assert set(places.outlived({}, 100 + LINGER)) == {("two", first), ("two", second)}
    places.see("two", [second])
    assert places.away(topology) == {}
    assert list(places.outlived({}, 200)) == [("two", second)]


def test_what_it_left_is_shut_after_a_while(places: Places):
    places.see("two", [A])
    places.see("one", [A])
    places.away(TOPOLOGY)
    assert list(places.outlived({}, 100)) == []
    assert list(places.outlived({}, 100 + LINGER)) == [("two", A)]
    places.see("two", [])
    places.away(TOPOLOGY)
    assert list(places.outlived({}, 200)) == []


def test_a_host_that_departed_stays_until_its_strays_are_shut(places: Places):
    places.see("three", ["patch-tun", A])
    assert places.away(TOPOLOGY) == {} and places.staying(()) == set()
    assert places.away(TOPOLOGY, ["three", "four"]) == {"a": "three"}
    assert places.staying(["three", "four"]) == {"three"}
    places.see("one", [A])
    assert places.away(TOPOLOGY, ["three"]) == {} and places.staying(["three"]) == {"three"}
    places.see("three", ["patch-tun"])
    assert places.away(TOPOLOGY, ["three"]) == {} and places.staying(["three"]) == set()


def test_nobody_is_away_on_a_host_that_is_not_there(places: Places):
    places.see("three", [A])
    places.see("two", [A])
    places.see("two", [])
    assert places.away(TOPOLOGY) == {}
