"""Routers' own routes: where they lead, and whether their next hops can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from dvr_ryu.topology.checks.findings import Claim, Findings, Unique
from dvr_ryu.topology.declaration import (
    InterfaceWords,
    RouterWords,
    RouteWords,
    SubnetWords,
    TopologyWords,
)
from dvr_ryu.topology.wording import listed
from dvr_ryu.topology.yaml_nodes import Path


def check(words: TopologyWords, findings: Findings) -> None:
    """Every route that leads nowhere, or where the router is already."""
    for name, router in words.routers.items():
        joined = list(_joined(router, words))
        already = "the router has a route to {value} already (line {line}); remove one"
        destinations = Unique(findings, already)
        for index, route in enumerate(router.routes):
            path = ("routers", name, "routes", index)
            destinations.claim(route.destination, Claim("", (*path, "destination")))
            if joined:
                _check_destination(path, route, router, joined, findings)
                _check_nexthop(path, name, route.nexthop, joined, words, findings)


_Joined = list[tuple[InterfaceWords, SubnetWords]]


def _joined(
    router: RouterWords, words: TopologyWords
) -> Iterator[tuple[InterfaceWords, SubnetWords]]:
    for each in router.interfaces:
        network = words.networks.get(each.network)
        subnet = each.joined(network) if network else None
        if subnet:
            yield each, subnet


def _check_destination(
    path: Path, route: RouteWords, router: RouterWords, joined: _Joined, findings: Findings
) -> None:
    """A wider range than a subnet's is right: the kernel takes the narrowest that fits."""
    place, destination = (*path, "destination"), route.destination
    for each, subnet in joined:
        if destination.subnet_of(subnet.cidr):
            reached = f"{destination} is in {subnet.cidr} of '{each.network}', which the router"
            findings.at_value(place, f"{reached} joins; remove this route")
    if destination.prefixlen == 0 and router.external_network:
        taken = f"takes all that is for '{router.external_network}'; name what is there instead"
        findings.at_value(place, f"{destination} {taken}")


def _check_nexthop(
    path: Path,
    name: str,
    nexthop: IPv4Address,
    joined: _Joined,
    words: TopologyWords,
    findings: Findings,
) -> None:
    place = (*path, "nexthop")
    for each, subnet in joined:
        if nexthop in subnet.cidr:
            if nexthop in (subnet.cidr.network_address, subnet.cidr.broadcast_address):
                findings.at_value(place, f"{nexthop} is no machine's address in {subnet.cidr}")
            elif nexthop == (each.ip or _own_gateway(name, each, subnet, words)):
                findings.at_value(place, f"{nexthop} is the router itself; name who knows the way")
            return
    ranges = listed(subnet.cidr for _, subnet in joined)
    message = f"{nexthop} is in no subnet that the router joins; take an address of {ranges}"
    findings.at_value(place, message)


def _own_gateway(
    name: str, interface: InterfaceWords, subnet: SubnetWords, words: TopologyWords
) -> IPv4Address | None:
    """The address that the router's port gets where no other router joins the network."""
    others = (
        each.network
        for other, router in words.routers.items()
        for each in router.interfaces
        if other != name
    )
    return None if interface.network in others else subnet.gateway
