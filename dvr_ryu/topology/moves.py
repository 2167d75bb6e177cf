"""Instances that go from one host to another and stay what they are otherwise. Pure."""

from __future__ import annotations

from attrs import evolve

from dvr_ryu.topology.model import Port
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


def _cards(topology: Topology) -> dict[str, list[Port]]:
    cards: dict[str, list[Port]] = {name: [] for name in topology.instances}
    for card in topology.cards:
        cards[card.name].append(card)
    return cards


def _as_guest(cards: list[Port]) -> list[Port]:
    """What the instance itself knows of its cards."""
    return [evolve(card, host="", ofport=0) for card in cards]
