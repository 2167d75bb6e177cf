"""Check that objects fit their roles: external networks, SNAT hosts, DHCP servers."""

from __future__ import annotations

from ipaddress import IPv4Network

from dvr_ryu.topology.checks.findings import Findings
from dvr_ryu.topology.spec.declaration import (
    NetworkSpec,
    PortSpec,
    RouterSpec,
    SeveralIpsSpec,
    TopologySpec,
)
from dvr_ryu.topology.spec.yaml_nodes import Path
from dvr_ryu.topology.wording import listed, suggestion


def check(spec: TopologySpec, findings: Findings) -> None:
    """Every role that does not fit its object."""
    for name, network in spec.networks.items():
        _check_network(("networks", name), network, findings)
    for name, router in spec.routers.items():
        _check_interfaces(("routers", name), router, spec, findings)
        if router.external_network is None:
            _check_internal(("routers", name), router, findings)
        else:
            _check_external(("routers", name), router, router.external_network, spec, findings)


def _check_network(path: Path, network: NetworkSpec, findings: Findings) -> None:
    if not network.external:
        message = "the network is not external; set external: true, or remove this"
        if network.gateway_host:
            findings.at_value((*path, "gateway_host"), message)
        if network.agent_gateways:
            findings.at_key((*path, "agent_gateways"), message)
    if network.underlay_access and not (network.external and network.gateway_host):
        message = (
            "no host of the file leads from here to the underlay; add gateway_host, or remove this"
        )
        findings.at_key((*path, "underlay_access"), message)
    if not network.dhcp_subnets:
        message = "no subnet of the network has DHCP; set dhcp: true on one, or remove this"
        if network.dhcp_host:
            findings.at_value((*path, "dhcp_host"), message)
        if network.dhcp_port != SeveralIpsSpec():
            findings.at_key((*path, "dhcp_port"), message)
        if network.dhcp_distributed:
            findings.at_key((*path, "dhcp"), message)
    elif network.dhcp_distributed and network.dhcp_host:
        message = "with dhcp: distributed each host serves itself; remove this, or that"
        findings.at_value((*path, "dhcp_host"), message)


def _check_interfaces(
    path: Path, router: RouterSpec, spec: TopologySpec, findings: Findings
) -> None:
    joined: set[tuple[str, IPv4Network | None]] = set()
    for index, each in enumerate(router.interfaces):
        key_path = (*path, "interfaces", index, "network")
        network = spec.networks.get(each.network)
        if network is None:
            continue
        subnet = each.joined(network)
        spot = each.network, subnet.cidr if subnet else None
        if network.external:
            message = f"'{each.network}' is external; a router leads to it by external_network"
            findings.at_value(key_path, message)
        elif each.subnet and subnet is None:
            ranges = listed(subnet.cidr for subnet in network.subnets)
            message = f"{each.subnet} is no subnet of '{each.network}'; write one of {ranges}"
            findings.at_value((*key_path[:-1], "subnet"), message)
        elif spot in joined:
            more = len(network.subnets) > 1
            instead = "name another subnet, or remove one" if more else "remove one"
            where = f"'{each.network}' twice" + (f", on {spot[1]}" if more else "")
            findings.at_value(key_path, f"the router joins {where}; {instead}")
        joined.add(spot)


def _check_internal(path: Path, router: RouterSpec, findings: Findings) -> None:
    message = "the router has no external_network, which this is for; add one, or remove this"
    if router.snat_host:
        findings.at_key((*path, "snat_host"), message)
    if router.gateway_port != PortSpec():
        findings.at_key((*path, "gateway_port"), message)
    for index, each in enumerate(router.interfaces):
        if each.snat_port != PortSpec():
            findings.at_key((*path, "interfaces", index, "snat_port"), message)


def _check_external(
    path: Path, router: RouterSpec, external: str, spec: TopologySpec, findings: Findings
) -> None:
    network = spec.networks.get(external)
    if network and not network.external:
        message = f"'{external}' is not external; {suggestion(external, spec.external_networks)}"
        findings.at_value((*path, "external_network"), message)
    snat_hosts = [name for name, host in spec.hosts.items() if host.snat]
    if router.snat_host is None:
        if network and not snat_hosts:
            message = "no host does SNAT for this router; set snat: true on a host"
            findings.at_key((*path, "external_network"), message)
    elif router.snat_host in spec.hosts and router.snat_host not in snat_hosts:
        message = f"'{router.snat_host}' does no SNAT; set snat: true on it, or name another host"
        findings.at_value((*path, "snat_host"), message)
