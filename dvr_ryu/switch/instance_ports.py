"""Track the ports of every connected br-int, and the times to shut those that instances left.

This module does not talk to a switch. `placement` decides where flows lead.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from dvr_ryu.topology.placement import LeftPort, Observation, Placement, observe
from dvr_ryu.topology.topology import Topology

LINGER = 0.5
"""Seconds until the port that an instance has left is shut: by then the packets on their way to it
have arrived, and the other host has announced the instance's floating addresses.
"""


class InstancePorts:
    """The ports of every br-int that is connected, without those that are shut."""

    def __init__(self) -> None:
        self._ports: dict[str, frozenset[str]] = {}
        self._observation = Observation()
        self._left_since: dict[LeftPort, float] = {}
        """Port → the time since which its instance is on its declared host."""
        self._roaming: Mapping[str, str] = {}
        """Roaming instance → its last known host, or the one where it has just announced itself."""
        self.news = False
        """Whether ports came or went since `placement` was asked last."""

    def see(self, host: str, devices: Iterable[str]) -> None:
        """The br-int of a host has these ports now; none, if it is connected no more."""
        ports = frozenset(devices)
        if ports != self._ports.get(host, frozenset()):
            self._ports[host] = ports
            self.news = True

    def placement(self, topology: Topology, departed: Collection[str] = ()) -> Placement:
        """The hosts of a declared topology's instances, by the ports; perhaps hosts that have
        `departed` from it.
        """
        self.news = False
        # Ports may be seen meanwhile, in another thread than this.
        self._observation = observe(topology, departed, dict(self._ports), self._roaming)
        self._roaming = self._observation.placement.roaming
        left = self._observation.left
        self._left_since = {
            port: since for port, since in self._left_since.items() if left.get(port)
        }
        return self._observation.placement

    def announced(self, instance: str, host: str) -> bool:
        """Note that a roaming instance announces itself on a host; return whether that is new."""
        if self._roaming.get(instance) == host:
            return False
        self._roaming = {**self._roaming, instance: host}
        self.news = True
        return True

    def hosts_of(self, device: str) -> list[str]:
        """The hosts on which a device is a port of br-int."""
        return sorted(host for host, devices in self._ports.items() if device in devices)

    def to_shut(self, moving: Collection[str], now: float) -> Iterator[LeftPort]:
        """The ports to shut at this time, except those of instances that are still `moving`."""
        for port, name in self._observation.left.items():
            if name in moving:
                self._left_since.pop(port, None)
            elif now - self._left_since.setdefault(port, now) >= LINGER:
                yield port
