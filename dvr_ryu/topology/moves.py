"""Instances that go from one host to another and stay what they are otherwise, and hosts that they
leave when these go, too. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve

from dvr_ryu.topology.model import Port
from dvr_ryu.topology.spec.declaration import HostWords
from dvr_ryu.topology.topology import Topology


def moved(before: Topology, after: Topology) -> dict[str, str]:
    """The instances that are on another host after an edit → the host that they were on."""
    found: dict[str, str] = {}
    cards, earlier = _cards(after), _cards(before)
    for name, first in after.instances.items():
        old = before.instances.get(name)
        if old and old.host != first.host and _as_guest(earlier[name]) == _as_guest(cards[name]):
            found[name] = old.host
    return found


def departed(before: Mapping[str, HostWords], now: Mapping[str, HostWords]) -> dict[str, HostWords]:
    """The hosts that a file has no more, as they were but for what they did for others; those that
    nobody can be beside now, for their numbers are another host's, are left out.
    """
    taken = {number for host in now.values() for number in _own_numbers(host)}
    return {
        name: evolve(host, snat=False)
        for name, host in before.items()
        if name not in now and not taken & _own_numbers(host)
    }


def _own_numbers(host: HostWords) -> set[object]:
    """What no two hosts may have."""
    return {host.address, *host.datapath_ids.values(), *([host.dvr_mac] if host.dvr_mac else [])}


def _cards(topology: Topology) -> dict[str, list[Port]]:
    cards: dict[str, list[Port]] = {name: [] for name in topology.instances}
    for card in topology.cards:
        cards[card.name].append(card)
    return cards


def _as_guest(cards: list[Port]) -> list[Port]:
    """What the instance itself knows of its cards."""
    return [evolve(card, host="", ofport=0) for card in cards]
