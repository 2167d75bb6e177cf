"""Check DHCP's options and routes: values that do not fit, routes that lead nowhere."""

from __future__ import annotations

from collections.abc import Mapping

from dvr_ryu.topology.checks.findings import Claim, Findings, Unique
from dvr_ryu.topology.spec.declaration import NetworkSpec, SubnetSpec, TopologySpec
from dvr_ryu.topology.spec.dhcp_options import number_of, value_of
from dvr_ryu.topology.spec.yaml_nodes import Path

TWICE = "{other} (line {line}) is the same; remove one"
NO_DHCP = "DHCP does not serve this; set dhcp: true on the subnet, or remove this"


def check(spec: TopologySpec, findings: Findings) -> None:
    """Every option and route that no DHCP server can give."""
    for name, network in spec.networks.items():
        _check_port(("networks", name, "dhcp_port"), network, findings)
        for index, subnet in enumerate(network.subnets):
            path = ("networks", name, "subnets", index)
            served = network.has_dhcp(subnet)
            _check_options((*path, "dhcp_options"), subnet.dhcp_options, served, findings)
            _check_routes((*path, "host_routes"), subnet, findings)
            _check_ranges((*path, "dhcp_ranges"), subnet, served, findings)
            _check_lessors((*path, "dhcp_ranges"), subnet, network, findings)
    for name, instance in spec.instances.items():
        for below, card in instance.cards:
            on = spec.networks.get(card.network)
            served = on is None or bool(on.dhcp_subnets)
            own = ("instances", name, *below, "dhcp_options")
            _check_options(own, card.dhcp_options, served, findings)


def _check_port(path: Path, network: NetworkSpec, findings: Findings) -> None:
    """Its addresses: clients of a subnet know one server."""
    template = "{other} (line {line}) is in {value}, too; a DHCP port has one in each subnet"
    unique = Unique(findings, template)
    for below, ip in network.dhcp_port.pinned_ips:
        if subnet := network.subnet_of(ip):
            unique.claim(subnet.cidr, Claim(str(ip), (*path, *below)))


def _check_options(
    path: Path, options: Mapping[str, object], served: bool, findings: Findings
) -> None:
    if options and not served:
        findings.at_key(path, NO_DHCP)
    unique = Unique(findings, TWICE)
    for key, value in options.items():
        number = number_of(key)
        unique.claim(number, Claim(f"'{key}'", (*path, key), by_key=True))
        try:
            value_of(number, value)
        except ValueError as wrong:
            findings.at_value((*path, key), f"'{key}' {wrong}")


def _check_routes(path: Path, subnet: SubnetSpec, findings: Findings) -> None:
    unique = Unique(findings, TWICE)
    for index, route in enumerate(subnet.host_routes):
        key_path = (*path, index)
        claim = Claim(f"the route to {route.destination}", (*key_path, "destination"))
        unique.claim(route.destination, claim)
        nexthop, cidr = route.nexthop, subnet.cidr
        if nexthop not in cidr:
            message = f"{nexthop} is not in {cidr}; a next hop is a neighbour"
            findings.at_value((*key_path, "nexthop"), message)
        elif nexthop in (cidr.network_address, cidr.broadcast_address):
            findings.at_value(
                (*key_path, "nexthop"), f"{nexthop} is no machine's address in {cidr}"
            )


def _check_ranges(path: Path, subnet: SubnetSpec, served: bool, findings: Findings) -> None:
    if subnet.dhcp_ranges and not served:
        findings.at_key(path, NO_DHCP)
    first, last = subnet.cidr[1], subnet.cidr[-2]
    for index, each in enumerate(subnet.dhcp_ranges):
        key_path = (*path, index)
        for key, ip in (("start", each.start), ("end", each.end)):
            if not first <= ip <= last:
                message = f"{ip} is no machine's address in {subnet.cidr}"
                findings.at_value((*key_path, key), f"{message}; take one of {first} to {last}")
        if each.start > each.end:
            findings.at_value((*key_path, "end"), f"{each.end} is before {each.start}; swap them")
        for other in subnet.dhcp_ranges[:index]:
            if each.start in other or other.start in each:
                message = f"addresses from {max(each.start, other.start)} on are in another range"
                findings.at_value((*key_path, "start"), f"{message} already; take others")


def _check_lessors(
    path: Path, subnet: SubnetSpec, network: NetworkSpec, findings: Findings
) -> None:
    for index, each in enumerate(subnet.dhcp_ranges):
        if network.dhcp_distributed and each.host is None:
            message = "which host leases these? Each serves itself, and two must not lease one"
            findings.at_key((*path, index), f"{message}; add host: NAME")
        elif each.host is not None and not network.dhcp_distributed:
            message = "one host serves all of this network; remove this, or set dhcp: distributed"
            findings.at_value((*path, index, "host"), message)
