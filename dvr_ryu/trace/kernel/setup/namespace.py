"""One network namespace as its resources make it: devices, addresses, routes, chains. Pure.

`configuration` makes it. What its kernel learns from packets is in `state`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from attrs import field, frozen

from dvr_ryu.trace.kernel.addresses import Prefix, mask
from dvr_ryu.trace.kernel.netfilter.iptables import Rule
from dvr_ryu.trace.kernel.setup.routes import LOOPBACK, Tables
from dvr_ryu.trace.kernel.setup.sysctls import Sysctls


class Device(NamedTuple):
    """A network device. `virtual_macs` are those of virtual routers (VRRP) that it takes, too."""

    name: str
    mac: int
    mtu: int
    virtual_macs: frozenset[int] = frozenset()


class Address(NamedTuple):
    """An address of a device. `mac` is a virtual router's: ARP tells that one instead of the
    device's."""

    device: str
    ip: int
    length: int
    mac: int | None = None

    @property
    def prefix(self) -> Prefix:
        """Its subnet."""
        return Prefix(self.ip & mask(self.length), self.length)


@frozen(eq=False)
class NetworkNamespace:
    """A namespace as its resources make it. It never changes."""

    name: str
    devices: Mapping[str, Device]
    addresses: Sequence[Address]
    tables: Tables
    neighbours: Mapping[tuple[str, int], int]
    """The permanent ones: device and address → MAC."""
    proxies: frozenset[tuple[str, int]]
    """Device and address of each proxy neighbour."""
    sysctls: Sysctls
    chains: Mapping[tuple[str, str], Sequence[Rule]]
    """iptables' table and chain → rules."""
    tracks: bool
    """Whether conntrack sees its packets."""
    programs: frozenset[tuple[int, int]] | None = field(default=None)
    """Protocol and port of each program that listens; None: a program listens to any."""

    def on(self, device: str) -> Iterator[Address]:
        """The addresses of a device, in the order of setting them."""
        return (each for each in self.addresses if each.device == device)

    def has(self, ip: int) -> bool:
        """Whether it has an address on any device."""
        return self.tables.is_local(ip)

    def mac_of(self, device: str, ip: int) -> int:
        """The MAC by which it sends from an address: a virtual router's, or the device's."""
        virtual = (each.mac for each in self.on(device) if each.ip == ip and each.mac is not None)
        return next(virtual, self.devices[device].mac)

    def source_for(self, device: str, towards: int) -> int:
        """The address that the kernel takes as the source of packets on a device towards another
        address: the first in its subnet, else the first; 0 if there is none anywhere.
        """
        own = [*self.on(device)]
        near = (each.ip for each in own if towards and towards in each.prefix)
        elsewhere = (each for each in self.addresses if each.device != LOOPBACK)
        return next(near, next((each.ip for each in (*own, *elsewhere)), 0))

    def listens(self, protocol: int, port: int) -> bool:
        """Whether a program takes packets to a port."""
        return self.programs is None or (protocol, port) in self.programs
