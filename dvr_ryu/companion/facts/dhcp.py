"""DHCP: a namespace per network, on the host of its DHCP port, in which dnsmasq serves. Pure.

Only MACs of the topology get an answer, each its own address. DNS is not served, nor is it asked.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.companion.facts.common import NO_IPV6, contains, namespace, plugged
from dvr_ryu.companion.facts.kinds import (
    DhcpHost,
    Fact,
    Process,
    device_key,
    dhcp_server,
    hosts_file,
    leases_file,
    pid_file,
)
from dvr_ryu.topology import model
from dvr_ryu.topology.view import HostView

LEASE_SECONDS = 86400
"""Neutron's dhcp_lease_duration."""


def dhcp_namespace(network: model.Network) -> str:
    """The namespace of a network's DHCP server, named as Neutron does."""
    return f"qdhcp-{network.id}"


def facts(view: HostView, tx_checksum: bool) -> Iterator[Fact]:
    """Yield the DHCP servers of this host and whom they serve."""
    for port in view.local_ports_of(model.DHCP):
        network = view.topology.networks[port.network]
        place = dhcp_namespace(network)
        subnets = [subnet for subnet in network.subnets if subnet.dhcp]
        yield from namespace(place, NO_IPV6)
        yield from plugged(view, port, place, tx_checksum)
        for each in view.topology.cards:
            if each.network == port.network and any(contains(s, each.ip) for s in subnets):
                yield DhcpHost(place, each.mac, each.ip, _host_name(each.name))
        yield _server(view, port, place, subnets)


def _host_name(instance: str) -> str:
    """An instance's name in the letters that a host name may have."""
    return instance.replace("_", "-").replace(".", "-")


def _server(view: HostView, port: model.Port, place: str, subnets: list[model.Subnet]) -> Process:
    name = dhcp_server(place)
    argv = [
        "dnsmasq",
        "--conf-file=/dev/null",
        f"--pid-file={pid_file(name)}",
        "--port=0",
        "--no-hosts",
        "--no-resolv",
        f"--interface={port.device}",
        "--except-interface=lo",
        "--bind-dynamic",
        "--dhcp-authoritative",
        "--no-ping",
        f"--dhcp-hostsfile={hosts_file(place)}",
        f"--dhcp-leasefile={leases_file(place)}",
        f"--dhcp-option-force=option:mtu,{view.topology.underlay.overlay_mtu}",
    ]
    for number, subnet in enumerate(subnets):
        tag = f"subnet-{number}"
        cidr = subnet.cidr
        argv += [
            f"--dhcp-range=set:{tag},{cidr.network_address},static,{cidr.netmask},{LEASE_SECONDS}s",
            f"--dhcp-option=tag:{tag},option:router,{subnet.gateway_ip}",
        ]
        if subnet.dns:
            argv.append(f"--dhcp-option=tag:{tag},option:dns-server,{','.join(subnet.dns)}")
    return Process(name, place, tuple(argv), device_key(place, port.device))
