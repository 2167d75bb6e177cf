"""Check the addresses of hosts and controller, and the underlay that contains them."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

from dvr_ryu.topology.checks.findings import Claim, Findings, Unique, already
from dvr_ryu.topology.reserved import LINK_LOCAL
from dvr_ryu.topology.spec.declaration import TopologySpec
from dvr_ryu.topology.spec.scalars import WIDEST_UNDERLAY_PREFIX


def check(spec: TopologySpec, findings: Findings) -> None:
    """Every address that the underlay cannot have."""
    unique = Unique(findings, already("address"))
    underlay = spec.underlay_cidr
    stated = spec.underlay.cidr is not None
    for name, host in spec.hosts.items():
        claim = Claim(f"host '{name}'", ("hosts", name, "address"))
        unique.claim(host.address, claim)
        wrong = _wrong_address(host.address, underlay, stated)
        if wrong:
            findings.at(claim, wrong)
    controller = spec.controller_address
    if controller:
        claim = Claim("the controller", ("controller",))
        unique.claim(controller, claim)
        if controller in _ends(underlay):
            findings.at(claim, _first_or_last(controller, underlay))
    _check_external_networks(spec, underlay, findings)


def _wrong_address(address: IPv4Address, cidr: IPv4Network, stated: bool) -> str | None:
    if address in LINK_LOCAL:
        return f"{address} is not an address that a host can have; write its own"
    if not stated and cidr.prefixlen < WIDEST_UNDERLAY_PREFIX:
        return f"{address} is on no one network with the others; hosts share an underlay"
    if address not in cidr:
        return f"{address} is not in the underlay's cidr {cidr}; change one of them"
    return _first_or_last(address, cidr) if address in _ends(cidr) else None


def _ends(cidr: IPv4Network) -> tuple[IPv4Address, IPv4Address]:
    return cidr.network_address, cidr.broadcast_address


def _first_or_last(address: IPv4Address, cidr: IPv4Network) -> str:
    return f"{address} is not a host's address in {cidr}, but its first or last; take another"


def _check_external_networks(spec: TopologySpec, underlay: IPv4Network, findings: Findings) -> None:
    """A gateway_host has an external network's address beside its own: they must not overlap."""
    for name, network in spec.networks.items():
        for index, subnet in enumerate(network.subnets if network.gateway_host else ()):
            if network.external and subnet.cidr.overlaps(underlay):
                findings.at_value(
                    ("networks", name, "subnets", index, "cidr"),
                    f"{subnet.cidr} overlaps the underlay {underlay} on gateway_host "
                    f"'{network.gateway_host}'; take another",
                )
