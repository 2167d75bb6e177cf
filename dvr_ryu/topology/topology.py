"""Define the desired topology as one frozen value, with its frequent look-ups. Pure.

`model` defines its parts. This module does not read, decide or send.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from ipaddress import IPv4Address
from operator import attrgetter
from typing import NamedTuple

from attrs import evolve, field, frozen

from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.expectation import Expectation
from dvr_ryu.topology.family import IpNetwork
from dvr_ryu.topology.model import (
    DHCP,
    NAMESPACE,
    PLUGGED,
    FloatingIp,
    Host,
    Network,
    Port,
    Router,
    Underlay,
)


class Joint(NamedTuple):
    """A router's port, as its neighbours see it."""

    router: str
    network: str
    ip: str


def routed_to(
    joints: Sequence[Joint], nexthops: Mapping[str, Collection[str]]
) -> dict[str, set[str]]:
    """Router → the routers that are next hops of its own routes."""
    owners = {(joint.network, joint.ip): joint.router for joint in joints}
    found: dict[str, set[str]] = defaultdict(set)
    for joint in joints:
        for nexthop in nexthops[joint.router]:
            owner = owners.get((joint.network, nexthop))
            if owner is not None:
                found[joint.router].add(owner)
    return found


_LOOKED_UP = (
    "ports_on", "hosts_with", "tunnel_devices", "gateway_macs", "virtual_ips", "virtual_macs",
    "floating_behind", "routed_to",
)  # fmt: skip


@frozen
class Topology:
    """The whole desired topology. Mappings have the file's order; nothing depends on it."""

    controller: Controller | None
    underlay: Underlay
    hosts: Mapping[str, Host] = field(eq=dict)
    networks: Mapping[str, Network] = field(eq=dict)
    routers: Mapping[str, Router] = field(eq=dict)
    instances: Mapping[str, Port] = field(eq=dict)
    """Name → the instance's first network card."""
    floating_ips: Mapping[str, FloatingIp] = field(eq=dict)
    service_ports: tuple[Port, ...]
    """DHCP, SNAT, router gateway, agent gateway and external gateway ports, sorted."""
    local_vlans: Mapping[str, Mapping[str, int]] = field(eq=dict)
    """Host name → network name → VLAN tag, for each network that the host has."""
    more_cards: tuple[Port, ...] = ()
    """The second and further network cards of instances, sorted."""
    expected: tuple[Expectation, ...] = ()
    """The lines of `expect:`, in the file's order."""

    def look_up(self) -> None:
        """Compute now the look-ups that flows need, so that no switch waits for them."""
        for name in _LOOKED_UP:
            getattr(self, name)

    @cached_property
    def cards(self) -> tuple[Port, ...]:
        """Every network card of every instance."""
        return (*self.instances.values(), *self.more_cards)

    @cached_property
    def plugged(self) -> tuple[Port, ...]:
        """The network cards of instances that others plug in."""
        return tuple(card for card in self.cards if card.guest == PLUGGED)

    @cached_property
    def roaming(self) -> tuple[Port, ...]:
        """The network cards of instances that are on the host where others plug them in."""
        return tuple(card for card in self.cards if card.roams)

    def with_roaming(self, hosts: Mapping[str, str]) -> Topology:
        """The same topology with roaming instances on these hosts, by name. Nothing else differs:
        all hosts are ready for them.
        """

        def placed(card: Port) -> Port:
            return evolve(card, host=hosts[card.name]) if card.name in hosts else card

        instances = {name: placed(card) for name, card in self.instances.items()}
        if all(card.host == self.instances[name].host for name, card in instances.items()):
            return self
        return evolve(self, instances=instances, more_cards=tuple(map(placed, self.more_cards)))

    @cached_property
    def as_namespaces(self) -> Topology:
        """The same topology with each guest as the namespace that would stand for it: to compute
        what a guest does that takes its lease.
        """
        if all(card.guest == NAMESPACE for card in self.cards):
            return self
        instances = {name: evolve(card, guest=NAMESPACE) for name, card in self.instances.items()}
        more_cards = tuple(evolve(card, guest=NAMESPACE) for card in self.more_cards)
        return evolve(self, instances=instances, more_cards=more_cards)

    @cached_property
    def ports(self) -> tuple[Port, ...]:
        """Every port of every host."""
        return (*self.cards, *self.service_ports)

    @cached_property
    def served_by_dhcp(self) -> frozenset[str]:
        """The networks that have a DHCP server."""
        return frozenset(port.network for port in self.service_ports if port.owner == DHCP)

    @cached_property
    def virtual_ips(self) -> frozenset[tuple[str, str]]:
        """Network name and address, of each that may move from one instance to another by itself.

        So only those instances may determine its host. It may be the fixed address of one of them.
        """
        return frozenset(self._virtual_ips())

    def _virtual_ips(self) -> Iterator[tuple[str, str]]:
        for card in self.cards:
            for pair in card.address_pairs:
                if pair.virtual_ip is not None:
                    yield card.network, pair.virtual_ip

    @cached_property
    def virtual_macs(self) -> frozenset[tuple[str, str]]:
        """Network name and MAC, of each that instances may use besides their own."""
        return frozenset((card.network, mac) for card in self.cards for mac in card.virtual_macs)

    @cached_property
    def floating_behind(self) -> Mapping[str, tuple[FloatingIp, ...]]:
        """Router name → the floating addresses that lead through it, in order of address."""
        behind: dict[str, list[FloatingIp]] = {name: [] for name in self.routers}
        for each in self.floating_ips.values():
            if each.router is not None:
                behind[each.router].append(each)
        return {
            name: tuple(sorted(some, key=lambda each: IPv4Address(each.ip)))
            for name, some in behind.items()
        }

    @cached_property
    def routed_to(self) -> Mapping[str, Collection[str]]:
        """Router → the routers to which it sends by its own routes."""
        routers = self.routers.values()
        return routed_to(
            [Joint(each.router, each.network, each.ip) for r in routers for each in r.interfaces],
            {router.name: [each.nexthop for each in router.routes] for router in routers},
        )

    @cached_property
    def ports_on(self) -> Mapping[str, tuple[Port, ...]]:
        """Host name → its ports."""
        return _grouped(self.ports, self.hosts, attrgetter("host"))

    @cached_property
    def ports_in(self) -> Mapping[str, tuple[Port, ...]]:
        """Network name → its ports."""
        return _grouped(self.ports, self.networks, attrgetter("network"))

    @cached_property
    def hosts_with(self) -> Mapping[str, tuple[str, ...]]:
        """Network name → the hosts that have the network, in the order of `hosts`."""
        hosts: dict[str, list[str]] = {name: [] for name in self.networks}
        for host, vlans in self.local_vlans.items():
            for network in vlans:
                hosts[network].append(host)
        return {name: tuple(having) for name, having in hosts.items()}

    @cached_property
    def tunnel_devices(self) -> Mapping[str, str]:
        """Host name → the name of the tunnel to it on the other hosts."""
        device = self.underlay.tunnel_device
        return {name: device(host.address) for name, host in self.hosts.items()}

    @cached_property
    def gateway_macs(self) -> Mapping[tuple[str, IpNetwork], str]:
        """Network name and subnet → the MAC of the gateway of its ports.

        The router port with the subnet's gateway_ip has it, else the first router by name.
        """
        networks = self.networks.values()
        announced = {(each.name, subnet.gateway_ip) for each in networks for subnet in each.subnets}
        macs: dict[tuple[str, IpNetwork], str] = {}
        for each in sorted(
            (each for router in self.routers.values() for each in router.interfaces),
            key=lambda each: ((each.network, each.ip) not in announced, each.router),
        ):
            macs.setdefault((each.network, each.cidr), each.mac)
        return macs


def _grouped(
    ports: Iterable[Port], names: Iterable[str], name_of: Callable[[Port], str]
) -> dict[str, tuple[Port, ...]]:
    groups: dict[str, list[Port]] = {name: [] for name in names}
    for port in ports:
        groups[name_of(port)].append(port)
    return {name: tuple(there) for name, there in groups.items()}
