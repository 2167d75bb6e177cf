"""The next hops of instances and routers, by what the topology declares. Pure.

The longest prefix decides, then the first NIC. This module knows no namespace and no policy rule.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

from dvr_ryu.topology.family import IpNetwork
from dvr_ryu.topology.model import Port, Router, RouterInterface
from dvr_ryu.topology.topology import Topology

ANYWHERE = IPv4Network("0.0.0.0/0")


class Way(NamedTuple):
    """The network that a packet enters, the address there that gets it, and the source address that
    the sender takes if it has a choice.
    """

    network: str
    nexthop: str
    source: str


class _Route(NamedTuple):
    destination: IpNetwork
    nexthop: str | None
    network: str
    source: str


def way_of_instance(topology: Topology, cards: Iterable[Port], destination: str) -> Way | None:
    """The way that an instance with these NICs takes; None if it has no route."""
    return _best((each for card in cards for each in _of_card(topology, card)), destination)


def _of_card(topology: Topology, card: Port) -> Iterator[_Route]:
    connected: set[IpNetwork] = set()
    for fixed in card.addresses:
        if fixed.cidr not in connected:
            connected.add(fixed.cidr)
            yield _Route(fixed.cidr, None, card.network, fixed.ip)
    network = topology.networks[card.network]
    subnet = network.subnet_of(card.ip)
    assert subnet is not None, "a port's address is in one of its network's subnets"
    for each in subnet.host_routes:
        destination = IPv4Network(each.destination)
        if destination.prefixlen or card.number == 0:
            yield _Route(destination, each.nexthop, card.network, card.ip)
    if subnet.dhcp:
        # DHCP announces the network's other subnets on the link itself (RFC 3442), as Neutron does.
        for other in network.subnets:
            if other.cidr not in connected:
                yield _Route(other.cidr, None, card.network, card.ip)
    if subnet.gateway_ip and card.number == 0:
        yield _Route(ANYWHERE, subnet.gateway_ip, card.network, card.ip)


def way_of_router(router: Router, destination: str) -> Way | None:
    """The way that a router takes within its own networks; None if the packet has to go out."""
    return _best(_of_router(router), destination)


def _of_router(router: Router) -> Iterator[_Route]:
    for foot in router.interfaces:
        yield _Route(foot.cidr, None, foot.network, foot.ip)
    for route in router.inner_routes:
        own = _foot(router, route.nexthop)
        if own is not None:
            yield _Route(route.destination, route.nexthop, own.network, own.ip)


def _foot(router: Router, nexthop: str) -> RouterInterface | None:
    at = IPv4Address(nexthop)
    return next((foot for foot in router.interfaces if at in foot.cidr), None)


def _best(routes: Iterable[_Route], destination: str) -> Way | None:
    at = IPv4Address(destination)
    fitting = [each for each in routes if at in each.destination]
    if not fitting:
        return None
    best = max(fitting, key=lambda each: each.destination.prefixlen)  # the first of equal ones
    return Way(best.network, best.nexthop or destination, best.source)
