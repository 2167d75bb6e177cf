"""Check subnets and the addresses in them: overlaps, wrong subnets, duplicates."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network

from dvr_ryu.topology import model
from dvr_ryu.topology.allocation.ports import WantedPort
from dvr_ryu.topology.checks.findings import Claim, Findings, Unique, already
from dvr_ryu.topology.spec.declaration import NetworkSpec, SubnetSpec, TopologySpec
from dvr_ryu.topology.spec.yaml_nodes import Path
from dvr_ryu.topology.wording import listed


def check(spec: TopologySpec, ports: list[WantedPort], findings: Findings) -> None:
    """Every subnet that overlaps another where both are used, and every misplaced address."""
    for name, network in spec.networks.items():
        _check_gateways(name, network, findings)
    _check_overlaps(spec, findings)
    _check_addresses(spec, ports, findings)
    _check_interfaces(spec, findings)


def _check_gateways(name: str, network: NetworkSpec, findings: Findings) -> None:
    for index, subnet in enumerate(network.subnets):
        path = ("networks", name, "subnets", index, "gateway_ip")
        gateway = subnet.gateway
        if gateway is None:
            if network.external:
                message = "routers leave an external network by its gateway; write its address"
                findings.at_value(path, message)
        elif gateway not in subnet.cidr:
            findings.at_value(path, f"{gateway} is not in {subnet.cidr}; take one from there")
        elif _names_subnet(gateway, subnet):
            findings.at_value(path, _not_for_ports(gateway, subnet))


def _names_subnet(ip: IPv4Address, subnet: SubnetSpec) -> bool:
    return ip in (subnet.cidr.network_address, subnet.cidr.broadcast_address)


def _not_for_ports(ip: IPv4Address, subnet: SubnetSpec) -> str:
    kind = "network" if ip == subnet.cidr.network_address else "broadcast"
    return f"{ip} is the {kind} address of {subnet.cidr}; take one between its first and its last"


# Overlaps -----------------------------------------------------------------------------------------


def _check_overlaps(spec: TopologySpec, findings: Findings) -> None:
    for name, network in spec.networks.items():
        subnets = [
            (each.cidr, Claim(f"'{name}'", ("networks", name, "subnets", index, "cidr")))
            for index, each in enumerate(network.subnets)
        ]
        _report_overlaps(subnets, findings)
    for name in spec.routers:
        _report_overlaps(_subnets_of_router(name, spec), findings)


def _subnets_of_router(name: str, spec: TopologySpec) -> list[tuple[IPv4Network, Claim]]:
    """All subnets to which the router routes, at the location where it joins them."""
    router, networks = spec.routers[name], spec.networks
    joined: dict[tuple[str, IPv4Network], Path] = {}
    for index, each in enumerate(router.interfaces):
        subnet = each.joined(networks[each.network]) if each.network in networks else None
        if subnet:
            path: Path = ("routers", name, "interfaces", index, "network")
            joined.setdefault((each.network, subnet.cidr), path)
    external = router.external_network
    if external and external in networks:
        for subnet in networks[external].subnets:
            joined.setdefault((external, subnet.cidr), ("routers", name, "external_network"))
    return [(cidr, Claim(f"'{network}'", path)) for (network, cidr), path in joined.items()]


def _report_overlaps(subnets: Iterable[tuple[IPv4Network, Claim]], findings: Findings) -> None:
    """By address, a subnet overlaps another only if it lies in the widest one before it."""
    widest: tuple[IPv4Network, Claim] | None = None
    for cidr, claim in sorted(subnets, key=lambda each: each[0]):
        if widest is None or not cidr.overlaps(widest[0]):
            widest = (cidr, claim)
        elif claim.path != widest[1].path:
            (first, first_claim), (later, later_claim) = sorted(
                [widest, (cidr, claim)], key=lambda each: findings.location(each[1])
            )
            findings.at(
                later_claim,
                f"{later} of {later_claim.who} overlaps {first} of {first_claim.who} "
                f"(line {findings.location(first_claim).line}); take another range",
            )


# Ports' addresses ---------------------------------------------------------------------------------


def _check_addresses(spec: TopologySpec, ports: list[WantedPort], findings: Findings) -> None:
    unique = Unique(findings, already("address"))
    for port in ports:
        network = spec.networks.get(port.network)
        if network is None or port.owner == model.EXTERNAL_GATEWAY:
            continue
        for path, ip in port.pins.pinned_ips:
            claim = Claim(str(port), (*port.path, *path))
            on_gateway = port.owner == model.ROUTER_INTERFACE
            _check_address(ip, port.network, network, on_gateway, claim, findings)
            unique.claim((port.network, ip), claim, ip)
    for ip, floating in spec.floating_ips.items():
        name = spec.network_of(floating)
        network = spec.networks.get(name or "")
        if name and network and network.external:
            claim = Claim("a floating address", ("floating_ips", str(ip)), by_key=True)
            _check_address(ip, name, network, False, claim, findings)
            unique.claim((name, ip), claim, ip)


def _check_address(
    ip: IPv4Address,
    name: str,
    network: NetworkSpec,
    may_be_gateway: bool,
    claim: Claim,
    findings: Findings,
) -> None:
    subnet = network.subnet_of(ip)
    if subnet is None:
        ranges = listed(each.cidr for each in network.subnets)
        findings.at(claim, f"{ip} is in no subnet of '{name}'; take an address of {ranges}")
    elif _names_subnet(ip, subnet):
        findings.at(claim, _not_for_ports(ip, subnet))
    elif ip == subnet.gateway and not may_be_gateway:
        unsaid = "" if subnet.gateway_ip else ", the first unless gateway_ip says otherwise"
        findings.at(claim, f"{ip} is the gateway of {subnet.cidr}{unsaid}; take another")


def _check_interfaces(spec: TopologySpec, findings: Findings) -> None:
    """A router's port has an address of the subnet that it joins, and so has its SNAT port."""
    for name, router in spec.routers.items():
        for index, each in enumerate(router.interfaces):
            network, path = spec.networks.get(each.network), ("routers", name, "interfaces", index)
            own = each.joined(network) if network else None
            if each.ip and own and network and network.subnet_of(each.ip) not in (own, None):
                message = f"{each.ip} is not in {each.subnet}, which the router's port is to join"
                findings.at_value((*path, "ip"), f"{message}; take one from there")
            if network and each.snat_port.ip:
                subnet = network.subnet_of(each.snat_port.ip)
                if subnet and own and subnet is not own:
                    message = f"{each.snat_port.ip} is not in {own.cidr}, as the router's port is"
                    findings.at_value((*path, "snat_port", "ip"), f"{message}; take one from there")
