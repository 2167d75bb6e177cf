"""Check routers' own routes: their destinations, and whether next hops can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Address

from dvr_ryu.topology.checks.findings import Claim, Findings, Unique
from dvr_ryu.topology.spec.declaration import (
    InterfaceSpec,
    RouterSpec,
    RouteSpec,
    SubnetSpec,
    TopologySpec,
)
from dvr_ryu.topology.spec.yaml_nodes import Path
from dvr_ryu.topology.wording import listed


def check(spec: TopologySpec, findings: Findings) -> None:
    """Every route that leads nowhere, or where the router is already."""
    for name, router in spec.routers.items():
        joined = list(_joined(router, spec))
        already = "the router has a route to {value} already (line {line}); remove one"
        destinations = Unique(findings, already)
        for index, route in enumerate(router.routes):
            path = ("routers", name, "routes", index)
            destinations.claim(route.destination, Claim("", (*path, "destination")))
            if joined:
                _check_destination(path, route, router, joined, spec, findings)
                _check_nexthop(path, name, route.nexthop, joined, spec, findings)


_Joined = list[tuple[InterfaceSpec, SubnetSpec]]


def _joined(router: RouterSpec, spec: TopologySpec) -> Iterator[tuple[InterfaceSpec, SubnetSpec]]:
    for each in router.interfaces:
        network = spec.networks.get(each.network)
        subnet = each.joined(network) if network else None
        if subnet:
            yield each, subnet


def _outer_subnet(
    router: RouterSpec, nexthop: IPv4Address, spec: TopologySpec
) -> SubnetSpec | None:
    """The subnet of the router's external network that a next hop is in."""
    network = spec.networks.get(router.external_network or "")
    return network.subnet_of(nexthop) if network else None


def _check_destination(
    path: Path,
    route: RouteSpec,
    router: RouterSpec,
    joined: _Joined,
    spec: TopologySpec,
    findings: Findings,
) -> None:
    """A wider range than a subnet's is right: the kernel takes the narrowest that fits."""
    key_path, destination = (*path, "destination"), route.destination
    reached = [(each.network, subnet.cidr) for each, subnet in joined]
    external = router.external_network
    if external and _outer_subnet(router, route.nexthop, spec):
        reached += [(external, subnet.cidr) for subnet in spec.networks[external].subnets]
    for network, cidr in reached:
        if destination.subnet_of(cidr):
            message = f"{destination} is in {cidr} of '{network}', which the router joins"
            findings.at_value(key_path, f"{message}; remove this route")
    if destination.prefixlen == 0 and external:
        taken = f"takes all that is for '{external}'; name what is there instead"
        findings.at_value(key_path, f"{destination} {taken}")


def _check_nexthop(
    path: Path,
    name: str,
    nexthop: IPv4Address,
    joined: _Joined,
    spec: TopologySpec,
    findings: Findings,
) -> None:
    key_path, router = (*path, "nexthop"), spec.routers[name]
    inner = next(((each, subnet) for each, subnet in joined if nexthop in subnet.cidr), None)
    subnet = inner[1] if inner else _outer_subnet(router, nexthop, spec)
    if subnet is None:
        findings.at_value(key_path, _unreached(router, nexthop, joined, spec))
        return
    own = inner[0].ip or _own_gateway(name, *inner, spec) if inner else router.gateway_port.ip
    if nexthop in (subnet.cidr.network_address, subnet.cidr.broadcast_address):
        findings.at_value(key_path, f"{nexthop} is no machine's address in {subnet.cidr}")
    elif nexthop == own:
        findings.at_value(
            key_path, f"{nexthop} is the router itself; name a machine that knows the way"
        )
    elif inner is None and nexthop in spec.floating_ips:
        findings.at_value(
            key_path, f"{nexthop} is a floating address; name a machine that knows the way"
        )


def _unreached(
    router: RouterSpec, nexthop: IPv4Address, joined: _Joined, spec: TopologySpec
) -> str:
    outer = spec.networks.get(router.external_network or "")
    subnets = [*(subnet for _, subnet in joined), *(outer.subnets if outer else ())]
    ranges = listed(subnet.cidr for subnet in subnets)
    for name in spec.external_networks if outer is None else ():
        if spec.networks[name].subnet_of(nexthop):
            missing = f"{nexthop} is on '{name}', and the router has no external_network"
            return f"{missing}; add external_network: {name}, or take an address of {ranges}"
    return f"{nexthop} is in no subnet that the router joins; take an address of {ranges}"


def _own_gateway(
    name: str, interface: InterfaceSpec, subnet: SubnetSpec, spec: TopologySpec
) -> IPv4Address | None:
    """The address of the router's port if no other router joins the network."""
    others = (
        each.network
        for other, router in spec.routers.items()
        for each in router.interfaces
        if other != name
    )
    return None if interface.network in others else subnet.gateway
