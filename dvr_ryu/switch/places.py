"""Where instances are, as the ports of br-int tell: an edit says where they shall be.

An instance that is declared on one host, lacks a port there yet and has one on another host, is
still there: flows lead there until it has arrived. What it leaves behind is shut after a while.
Nothing here talks to a switch.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from dvr_ryu.topology.topology import Topology

LINGER = 0.5
"""Seconds until the port that an instance has left is shut: by then what was on its way there has
arrived, and the other host has announced the instance's floating addresses."""

Stray = tuple[str, str]
"""A host and a port of its br-int that belongs to an instance of another host."""


class Places:
    """The ports of every br-int that is connected, without those that are shut."""

    def __init__(self) -> None:
        self._ports: dict[str, frozenset[str]] = {}
        self._strays: dict[Stray, str] = {}
        self._left: dict[Stray, float] = {}
        """Since when the instance of a stray is where it is declared."""
        self.news = False
        """Whether ports came or went since `away` was asked last."""

    def see(self, host: str, devices: Iterable[str]) -> None:
        """The br-int of a host has these ports now; none, if it is connected no more."""
        ports = frozenset(devices)
        if ports != self._ports.get(host, frozenset()):
            self._ports[host] = ports
            self.news = True

    def away(self, topology: Topology, departed: Collection[str] = ()) -> dict[str, str]:
        """The instances of a topology that are still on another host → that host: one of its own,
        or one of those that have `departed` from it.
        """
        self.news = False
        # Ports may be seen meanwhile, in another thread than this.
        ports = dict(self._ports)
        cards = {card.device: card for card in topology.cards}
        self._strays = {
            (host, device): cards[device].name
            for host, devices in ports.items()
            for device in devices & cards.keys()
            if cards[device].host != host
        }
        astray = set(self._strays.values())
        lacking = {
            card.name
            for card in cards.values()
            if card.name in astray and card.device not in ports.get(card.host, ())
        }
        away = {
            name: host
            for (host, _), name in sorted(self._strays.items())
            if (host in topology.hosts or host in departed) and name in lacking
        }
        self._left = {
            stray: since for stray, since in self._left.items() if self._strays.get(stray)
        }
        return away

    def staying(self, departed: Collection[str]) -> frozenset[str]:
        """The hosts that have departed, and on which a port that an instance left is not shut."""
        return frozenset(host for host, _ in self._strays if host in departed)

    def outlived(self, away: Iterable[str], now: float) -> Iterator[Stray]:
        """The strays to shut at this time, given the instances that flows lead elsewhere to."""
        for stray, name in self._strays.items():
            if name in away:
                self._left.pop(stray, None)
            elif now - self._left.setdefault(stray, now) >= LINGER:
                yield stray
