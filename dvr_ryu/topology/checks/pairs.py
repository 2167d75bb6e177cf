"""Check allowed_address_pairs: addresses and MACs of ports that do not share them."""

from __future__ import annotations

from ipaddress import IPv4Address

from dvr_ryu.topology import model
from dvr_ryu.topology.allocation.ports import WantedPort
from dvr_ryu.topology.checks.findings import Findings
from dvr_ryu.topology.spec.declaration import AddressPairSpec, NetworkSpec, TopologySpec
from dvr_ryu.topology.spec.yaml_nodes import Path

_Owners = dict[tuple[str, object], WantedPort]
"""Network and address, or MAC, → the port for which the file pins it."""


def check(spec: TopologySpec, ports: list[WantedPort], findings: Findings) -> None:
    """Every pair that no instance can use."""
    ips: _Owners = {(port.network, ip): port for port in ports for ip in port.pinned_ips}
    macs: _Owners = {(port.network, port.pins.mac): port for port in ports if port.pins.mac}
    floating = {(spec.network_of(each), ip) for ip, each in spec.floating_ips.items()}
    dvr_macs = {host.dvr_mac: name for name, host in spec.hosts.items() if host.dvr_mac}
    for port in ports:
        network = spec.networks.get(port.network)
        for index, pair in enumerate(port.address_pairs if network else ()):
            path = (*port.path, "allowed_address_pairs", index)
            if network and pair.ip.prefixlen == 32:
                if (port.network, pair.ip[0]) in floating:
                    message = f"{pair.ip[0]} is a floating address; take another"
                    findings.at_value((*path, "ip"), message)
                _check_address(path, pair.ip[0], port, network, ips, findings)
            _check_mac(path, pair, port, macs, dvr_macs, findings)


def _check_address(
    path: Path,
    ip: IPv4Address,
    port: WantedPort,
    network: NetworkSpec,
    owners: _Owners,
    findings: Findings,
) -> None:
    key_path = (*path, "ip")
    subnet = network.subnet_of(ip)
    owner = owners.get((port.network, ip))
    if owner is port:
        findings.at_value(key_path, f"{ip} is its own address already; remove this")
    elif owner and owner.owner != model.COMPUTE:
        findings.at_value(key_path, f"{ip} is the address of {owner}; take another")
    elif subnet and ip == subnet.gateway:
        findings.at_value(key_path, f"{ip} is the gateway of {subnet.cidr}; take another")
    elif subnet and ip in (subnet.cidr.network_address, subnet.cidr.broadcast_address):
        findings.at_value(key_path, f"{ip} is no machine's address in {subnet.cidr}; take another")


def _check_mac(
    path: Path,
    pair: AddressPairSpec,
    port: WantedPort,
    owners: _Owners,
    dvr_macs: dict[str, str],
    findings: Findings,
) -> None:
    """Frames to a MAC that is a port's go there, and nowhere else."""
    owner = owners.get((port.network, pair.mac))
    if owner and owner is not port:
        message = f"{pair.mac} is the MAC of {owner}; take one that nobody else has, or remove this"
        findings.at_value((*path, "mac"), message)
    elif pair.mac in dvr_macs:
        message = f"{pair.mac} is the DVR MAC of host '{dvr_macs[pair.mac]}'; take another"
        findings.at_value((*path, "mac"), message)
