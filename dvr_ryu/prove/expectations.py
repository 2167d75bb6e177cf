"""Judges which packets should be answered, by the topology alone. Pure.

The rules are Neutron's: a network joins its ports on all hosts, a router joins its networks, a
floating address leads to its instance from outside and is its source address there, SNAT leads out
and not in, and all else is apart. This module knows no flow, no namespace and no table of a host,
so it is an independent judge of them. Where the file does not decide (an instance that routes, a
virtual address that somebody has to announce first), there is no expectation.
"""

from __future__ import annotations

from ipaddress import IPv4Address

from attrs import frozen

from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.prove.owners import KINDS, Owner, OwnerKind, Owners
from dvr_ryu.prove.routes import Way, way_of_instance, way_of_router
from dvr_ryu.topology.expectation import Service
from dvr_ryu.topology.model import FloatingIp, Network, Port, Router
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.endpoints import Sender, ends

MOST_ROUTERS = 8
"""A packet that passes more routers goes in a circle."""


@frozen
class Expected:
    """Whether a sender should get an answer, from which machine, and the source address that the
    machine sees; of a packet that should not be answered, why.
    """

    answered: bool
    owner: Owner | None = None
    seen_as: str | None = None
    reason: str = ""


@frozen
class _Packet:
    """A packet as its sender sends it."""

    sender: Owner
    source: str
    destination: str
    service: Service | None = None


class _Lost(Exception):
    """The packet should not be answered; the text is the reason."""


class _Undecided(Exception):
    """The topology does not tell."""


class Expectations:
    """The expectations about all packets of a topology."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._owners = Owners(topology)
        self._cards: dict[str, list[Port]] = {}
        for card in topology.more_cards:
            self._cards.setdefault(card.name, [topology.instances[card.name]]).append(card)

    def of(self, source: str, target: str, service: Service | None = None) -> Expected | None:
        """What should become of a ping, or of a connection to a service, between two ends in the
        words of `trace.endpoints`; None if the topology does not tell. Raise UnknownEndpoint.
        """
        sender, receiver = ends(self._topology, source, target)
        try:
            if sender.namespace == ROOT:
                owner, seen_as = self._from_host(sender, receiver.address, service)
            else:
                owner, seen_as = self._from_instance(sender, receiver.address, service)
        except _Lost as lost:
            return Expected(False, reason=str(lost))
        except _Undecided:
            return None
        return Expected(True, owner, seen_as)

    # Senders --------------------------------------------------------------------------------------

    def _from_instance(
        self, sender: Sender, destination: str, service: Service | None
    ) -> tuple[Owner, str]:
        name = sender.namespace.removeprefix("vm-")
        if name not in self._topology.instances:
            raise _Undecided
        cards = self._cards_of(name)
        if any(fixed.ip == destination for card in cards for fixed in card.addresses):
            raise _Undecided  # its own address: the packet does not leave it
        way = way_of_instance(self._topology, cards, destination)
        if way is None:
            raise _Lost(f"{name} has no route to {destination}")
        source = sender.address or way.source
        me = Owner(OwnerKind.INSTANCE, name, sender.host)
        packet = _Packet(me, source, destination, service)
        owner, seen_as = self._arrive(packet, way)
        if seen_as == source and owner.kind is not OwnerKind.SNAT:
            self._require_return(packet, owner)
        return owner, seen_as

    def _from_host(
        self, sender: Sender, destination: str, service: Service | None
    ) -> tuple[Owner, str]:
        topology, at = self._topology, IPv4Address(destination)
        worlds = [each for each in topology.networks.values() if each.gateway_host == sender.host]
        for network in worlds:
            if network.subnet_of(destination):
                source = str(network.outside_ip)
                me = Owner(OwnerKind.WORLD, network.name, sender.host)
                if destination == source:
                    raise _Undecided
                return self._outside(_Packet(me, source, destination, service), network)
        if at in topology.underlay.cidr or sender.address is None:
            raise _Undecided
        raise _Lost(f"nothing leads from outside to {destination}")

    def _cards_of(self, instance: str) -> list[Port]:
        return self._cards.get(instance) or [self._topology.instances[instance]]

    # The way there --------------------------------------------------------------------------------

    def _arrive(self, packet: _Packet, way: Way, routers: int = 0) -> tuple[Owner, str]:
        """Hand a packet to the next hop of a way, after so many routers."""
        network, nexthop, _ = way
        owner = self._owners.owner(network, nexthop)
        if owner is None:
            raise _Lost(f"no machine has {nexthop} on {network}")
        if routers > MOST_ROUTERS:
            raise _Lost(f"routers send what is for {packet.destination} to each other")
        if owner.kind is OwnerKind.VIRTUAL:
            raise _Undecided
        if owner.kind is OwnerKind.FLOATING:
            return self._outside(packet, self._topology.networks[network])
        if owner.kind is OwnerKind.ROUTER:
            return self._route(packet, self._topology.routers[owner.name], routers + 1)
        if nexthop != packet.destination:
            raise _Undecided  # an instance, or another machine, routes
        return owner, packet.source

    def _route(self, packet: _Packet, router: Router, routers: int) -> tuple[Owner, str]:
        destination = packet.destination
        if any(foot.ip == destination for foot in router.interfaces):
            return Owner(OwnerKind.ROUTER, router.name), packet.source
        way = way_of_router(router, destination)
        if way is not None:
            return self._arrive(packet, way, routers)
        if router.external_network is None:
            raise _Lost(f"router {router.name} has no route to {destination}")
        network = self._topology.networks[router.external_network]
        if any(IPv4Address(destination) in route.destination for route in router.outer_routes):
            raise _Undecided  # another router, across the external network
        if not _is_inner(router, packet.source):
            reason = f"lets only its own networks out, not {packet.source}"
            raise _Lost(f"router {router.name} {reason}")
        return self._outside(packet, network, router)

    def _translated(self, router: Router, source: str) -> str:
        """The address that a sender has outside."""
        for each in self._topology.floating_behind[router.name]:
            if each.instance is not None and each.fixed_ip == source:
                return each.ip
        assert router.gateway_port is not None, "a router with an external network has one"
        return router.gateway_port.ip

    def _outside(
        self, packet: _Packet, network: Network, router: Router | None = None
    ) -> tuple[Owner, str]:
        """Hand a packet to an address from an external network, which `router` let it into."""
        destination = packet.destination
        seen_as = self._translated(router, packet.source) if router else packet.source
        reached = self._reached_from(network, destination)
        if reached is None:
            return self._beyond(network, destination), seen_as
        owner = self._owners.owner(reached.name, destination)
        if owner is None:
            raise _Lost(f"no machine has {destination} on {reached.name}")
        if owner.kind is OwnerKind.FLOATING:
            floating = self._topology.floating_ips[destination]
            return self._floating(packet, floating, router, seen_as)
        if owner.kind is OwnerKind.INSTANCE and reached.name != network.name:
            raise _Undecided
        if owner.kind is OwnerKind.VIRTUAL:
            raise _Undecided
        if owner.kind is OwnerKind.SNAT:
            return owner, self._seen_within(owner.name, router, packet.source, seen_as)
        return owner, seen_as

    def _seen_within(self, snat: str, router: Router | None, source: str, seen_as: str) -> str:
        """The address that a router's own SNAT host sees: a packet of the router has not left it
        yet, and the NAT is on the way out.
        """
        if router is None or router.name != snat or self._is_distributed(router, source):
            return seen_as
        return source

    def _reached_from(self, network: Network, destination: str) -> Network | None:
        """The external network of an address: this one, or one whose gateway is the same host."""
        others = self._topology.networks.values()
        near = [each for each in others if each.external and each.name != network.name]
        near = [each for each in near if each.gateway_host == network.gateway_host is not None]
        for each in (network, *near):
            if each.subnet_of(destination):
                return each
        return None

    def _beyond(self, network: Network, destination: str) -> Owner:
        """The machine beyond the gateway of an external network."""
        topology, at = self._topology, IPv4Address(destination)
        host = topology.hosts.get(network.gateway_host or "")
        if host is not None and host.address == destination:
            return Owner(OwnerKind.WORLD, network.name, host.name)
        if at in topology.underlay.cidr or any(
            each.address == destination for each in topology.hosts.values()
        ):
            raise _Undecided
        raise _Lost(f"nothing leads from {network.name} to {destination}")

    def _floating(
        self, packet: _Packet, floating: FloatingIp, router: Router | None, seen_as: str
    ) -> tuple[Owner, str]:
        """The machine behind a floating address, and the source address that it sees."""
        if floating.router is None:
            raise _Lost(f"{floating.ip} leads to no instance")
        bound = _binding(floating, packet.service)
        if bound is None:
            if packet.service is not None:
                raise _Lost(f"{floating.ip} does not forward {packet.service}")
            seen_as = self._seen_within(floating.router, router, packet.source, seen_as)
            return Owner(OwnerKind.SNAT, floating.router), seen_as
        name, fixed_ip = bound
        cards = self._cards_of(name)
        has = any(fixed.ip == fixed_ip for card in cards for fixed in card.addresses)
        if name == packet.sender.name or not has:
            raise _Undecided  # to itself, or to a virtual address
        own = self._topology.routers[floating.router]
        if router is own and floating.central and self._is_distributed(own, packet.source):
            assert own.gateway_port is not None
            seen_as = own.gateway_port.ip  # its own address would return by another way
        way = way_of_instance(self._topology, cards, seen_as)
        back = self._owners.owner(way.network, way.nexthop) if way else None
        if back is None or back != Owner(OwnerKind.ROUTER, own.name):
            raise _Undecided  # the answer leaves by another router
        return Owner(OwnerKind.INSTANCE, name, cards[0].host), seen_as

    def _is_distributed(self, router: Router, source: str) -> bool:
        return any(
            each.instance is not None and each.fixed_ip == source and not each.central
            for each in self._topology.floating_behind[router.name]
        )

    # The way back ---------------------------------------------------------------------------------

    def _require_return(self, packet: _Packet, owner: Owner) -> None:
        """Require that the owner's answer to a packet comes to the sender; no NAT is between."""
        source, destination = packet.source, packet.destination
        if owner.kind is OwnerKind.INSTANCE:
            way = way_of_instance(self._topology, self._cards_of(owner.name), source)
        elif owner.kind is OwnerKind.ROUTER:
            way = way_of_router(self._topology.routers[owner.name], source)
        elif owner.kind in (OwnerKind.DHCP, OwnerKind.SNAT):
            if not self._is_on_link(owner, source):
                raise _Lost(f"{owner} has no route back to {source}")
            return
        else:
            raise _Undecided
        if way is None:
            raise _Lost(f"{owner} has no route back to {source}")
        back, seen_as = self._arrive(_Packet(owner, destination, source), way)
        sender = packet.sender
        if (back.kind, back.name, seen_as) != (sender.kind, sender.name, destination):
            raise _Lost(f"the answer of {owner} comes to {back}")

    def _is_on_link(self, owner: Owner, source: str) -> bool:
        at = IPv4Address(source)
        return any(
            at in fixed.cidr
            for port in self._topology.service_ports
            if port.name == owner.name and KINDS[port.owner] is owner.kind
            for fixed in port.addresses
        )


def _is_inner(router: Router, source: str) -> bool:
    """Whether an address is on a router's networks, or behind its routes to inner next hops."""
    at = IPv4Address(source)
    return any(at in foot.cidr for foot in router.interfaces) or any(
        at in route.destination for route in router.inner_routes if route.destination.prefixlen
    )


def _binding(floating: FloatingIp, service: Service | None) -> tuple[str, str] | None:
    """The instance and its address to which a packet to a floating address leads."""
    if floating.instance is not None and floating.fixed_ip is not None:
        return floating.instance, floating.fixed_ip
    for each in floating.forwardings if service else ():
        assert service is not None
        ports = each.external_ports
        if each.protocol == service.protocol and ports.first <= service.port <= ports.last:
            return each.instance, each.fixed_ip
    return None
