"""Says which instances of a topology should reach each other, and by which router. Pure."""

from __future__ import annotations

from ipaddress import IPv4Address

from dvr_ryu.topology.family import IpNetwork
from dvr_ryu.topology.model import Port, Router, RouterInterface, Subnet
from dvr_ryu.topology.topology import Topology


class Reach:
    """Answers questions about instances' ports from the topology alone."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._networks: dict[str, set[str]] = {}
        for card in topology.cards:
            self._networks.setdefault(card.name, set()).add(card.network)

    def subnet(self, port: Port) -> Subnet:
        """The subnet of the port's address."""
        subnet = self._topology.networks[port.network].subnet_of(port.ip)
        assert subnet is not None, "a port's address is in one of its network's subnets"
        return subnet

    def gateway(self, port: Port) -> RouterInterface | None:
        """The router interface with the instance's gateway address; None if no router has it."""
        gateway_ip = self.subnet(port).gateway_ip
        for router in self._topology.routers.values():
            for interface in router.interfaces:
                if (interface.network, interface.ip) == (port.network, gateway_ip):
                    return interface
        return None

    def router(self, port: Port) -> Router | None:
        """The router of the instance's default route."""
        gateway = self.gateway(port)
        return None if gateway is None else self._topology.routers[gateway.router]

    def adjacent(self, one: Port, other: Port) -> bool:
        """Whether two ports reach each other without a router."""
        return one.network == other.network and self.subnet(one) == self.subnet(other)

    def routed(self, one: Port, other: Port) -> bool:
        """Whether the same router is the gateway of both ports and routes between them."""
        router = self.router(one)
        return router is not None and router == self.router(other) and not self.adjacent(one, other)

    def apart(self, one: Port, other: Port) -> bool:
        """Whether nothing joins two ports: no common network, no common router, no routers that
        have routes to each other.

        False if `one` reaches another machine by the address of `other`: a ping cannot distinguish
        them.
        """
        networks = self._networks[one.name] & self._networks[other.name]
        if networks or self._routers(one) & self._routers(other):
            return False
        return not any(IPv4Address(other.ip) in cidr for cidr in self._ranges(one))

    def world(self, router: Router | None) -> str | None:
        """The host that carries the gateway of the router's external network."""
        if router is None or router.external_network is None:
            return None
        return self._topology.networks[router.external_network].gateway_host

    def _routers(self, port: Port) -> set[str]:
        """The routers on the instance's networks, and all routers that routes join with them."""
        networks = self._networks[port.name]
        found = {
            router.name
            for router in self._topology.routers.values()
            if any(interface.network in networks for interface in router.interfaces)
        }
        before: set[str] = set()
        while found != before:
            before = set(found)
            for router, following in self._topology.routed_to.items():
                if found & {router, *following}:
                    found |= {router, *following}
        return found

    def _ranges(self, port: Port) -> set[IpNetwork]:
        """All addresses that an instance can reach: those of its networks, of its routers, of their
        routes and of their external networks.
        """
        routers = [self._topology.routers[name] for name in self._routers(port)]
        names = set(self._networks[port.name])
        names |= {interface.network for router in routers for interface in router.interfaces}
        names |= {router.external_network for router in routers if router.external_network}
        known = {route.destination for router in routers for route in router.routes}
        networks = [self._topology.networks[name] for name in names]
        return known | {subnet.cidr for network in networks for subnet in network.subnets}
