"""The machine that has an address on a network, by what the topology declares. Pure."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from dvr_ryu.topology import model
from dvr_ryu.topology.topology import Topology


class OwnerKind(Enum):
    """The kind of a machine, and the word that a trace has for the owner of its namespace."""

    INSTANCE = "instance", "instance"
    ROUTER = "router", "router"
    SNAT = "SNAT", "router"
    DHCP = "DHCP server", "network"
    AGENT_GATEWAY = "agent gateway", "network"
    WORLD = "gateway", "host"
    FLOATING = "floating address", ""
    VIRTUAL = "virtual address", ""


class Owner(NamedTuple):
    """A machine: its kind, the name of its object, and its host, if it is on one alone."""

    kind: OwnerKind
    name: str
    host: str | None = None

    def __str__(self) -> str:
        """The owner as a trace names it: "instance vm-68", "host h1"."""
        _, word = self.kind.value
        return f"{word} {self.host if self.kind is OwnerKind.WORLD else self.name}"


KINDS = {
    model.COMPUTE: OwnerKind.INSTANCE,
    model.DHCP: OwnerKind.DHCP,
    model.ROUTER_SNAT: OwnerKind.SNAT,
    model.ROUTER_GATEWAY: OwnerKind.SNAT,
    model.AGENT_GATEWAY: OwnerKind.AGENT_GATEWAY,
    model.EXTERNAL_GATEWAY: OwnerKind.WORLD,
}
"""Owner of a port → the kind of its machine."""


class Owners:
    """Questions about addresses; each network is read when it is first asked about."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._by_network: dict[str, dict[str, Owner]] = {}

    def owner(self, network: str, address: str) -> Owner | None:
        """The machine with an address on a network; None if nobody has it."""
        if network not in self._by_network:
            self._by_network[network] = self._read(network)
        return self._by_network[network].get(address)

    def _read(self, network: str) -> dict[str, Owner]:
        topology = self._topology
        found: dict[str, Owner] = {}
        for router in topology.routers.values():
            for foot in router.interfaces:
                if foot.network == network:
                    found[foot.ip] = Owner(OwnerKind.ROUTER, router.name)
        for port in topology.ports_in[network]:
            for fixed in port.addresses:
                found[fixed.ip] = Owner(KINDS[port.owner], port.name, port.host)
        for each in topology.floating_ips.values():
            if each.network == network:
                found[each.ip] = Owner(OwnerKind.FLOATING, each.ip)
        # The instance that announces a virtual address has it: the file does not tell which.
        for where, ip in topology.virtual_ips:
            if where == network:
                found[ip] = Owner(OwnerKind.VIRTUAL, ip)
        return found
