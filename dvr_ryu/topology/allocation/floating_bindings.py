"""Find the instance's address to which a floating address leads, and the routers. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from ipaddress import IPv4Address
from typing import NamedTuple, TypeAlias

from dvr_ryu.topology.spec.declaration import (
    CardSpec,
    FloatingIpSpec,
    ForwardingSpec,
    RouterSpec,
    TopologySpec,
)

Binding: TypeAlias = FloatingIpSpec | ForwardingSpec
"""A whole floating address, or some of its ports, that lead to an instance."""


class Spot(NamedTuple):
    """A network, and an address on it; None if the file names no address."""

    network: str
    ip: IPv4Address | None


def bindings(floating: FloatingIpSpec) -> list[Binding]:
    """The parts of a floating address that lead to an instance."""
    return [floating] if floating.instance else [*floating.port_forwardings]


class Bindings:
    """Questions about the bindings of a declaration, which need not have been checked."""

    def __init__(self, spec: TopologySpec) -> None:
        self._spec = spec

    def spot(self, binding: Binding) -> Spot | None:
        """The spot to which a binding leads; None if the instance or its address does not exist."""
        instance = self._spec.instances.get(binding.instance or "")
        if instance is None:
            return None
        if binding.fixed_ip is None:
            pinned = instance.first_card.pinned_ips
            return Spot(instance.first_card.network, pinned[0][1] if pinned else None)
        cards = [card for _, card in instance.cards]
        for having in (_has, _may_have):
            for card in cards:
                if having(card, binding.fixed_ip):
                    return Spot(card.network, binding.fixed_ip)
        return None

    @cached_property
    def virtual(self) -> frozenset[Spot]:
        """The addresses that may move from one instance to another by themselves."""
        return frozenset(
            Spot(card.network, pair.ip[0])
            for instance in self._spec.instances.values()
            for _, card in instance.cards
            for pair in card.allowed_address_pairs
            if pair.ip.prefixlen == 32
        )

    def routers_to(self, external: str, spots: Sequence[Spot]) -> list[str]:
        """The routers that lead from every one of these spots to an external network."""
        return [
            name
            for name in self.routers_joining[spots[0].network]
            if self._spec.routers[name].external_network == external
            and all(self._joins(self._spec.routers[name], each) for each in spots)
        ]

    @cached_property
    def routers_joining(self) -> defaultdict[str, list[str]]:
        """Network → the routers that join it."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        for name, router in self._spec.routers.items():
            for network in dict.fromkeys(each.network for each in router.interfaces):
                found[network].append(name)
        return found

    def _joins(self, router: RouterSpec, spot: Spot) -> bool:
        """Whether a router is on a spot's subnet; on its network, if the subnet is not known."""
        for each in router.interfaces:
            if each.network == spot.network and each.network in self._spec.networks:
                network = self._spec.networks[each.network]
                subnet = network.subnet_of(spot.ip) if spot.ip else None
                if subnet is None or subnet is each.joined(network):
                    return True
        return False


def _has(card: CardSpec, ip: IPv4Address) -> bool:
    return any(ip == pinned for _, pinned in card.pinned_ips)


def _may_have(card: CardSpec, ip: IPv4Address) -> bool:
    return any(ip in pair.ip for pair in card.allowed_address_pairs)
