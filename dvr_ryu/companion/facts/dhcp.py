"""DHCP: a namespace per network, on the host of its DHCP port, in which dnsmasq serves. Pure.

Only MACs of the topology get an answer, each its own address. DNS is not served, nor is it asked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dvr_ryu.companion.facts.common import NO_IPV6, contains, namespace, plugged
from dvr_ryu.companion.facts.dnsmasq import (
    DhcpHost,
    DhcpOption,
    dhcp_server,
    leases_file,
    told_file,
)
from dvr_ryu.companion.facts.kinds import Address, Fact, Process, device_key, pid_file
from dvr_ryu.topology import model
from dvr_ryu.topology.dhcp_options import (
    CLASSLESS_ROUTES,
    DNS_SERVER,
    MICROSOFT_ROUTES,
    ROUTER,
    word_of,
)
from dvr_ryu.topology.view import HostView

LEASE_SECONDS = 86400
"""Neutron's dhcp_lease_duration."""
MOST_LEASES = 1 << 24
"""Neutron's cap; left to itself, dnsmasq gives a thousand."""
ON_LINK = "0.0.0.0"
"""The next hop of a route onto the wire itself (RFC 3442)."""
EVERYWHERE = "0.0.0.0/0"


def dhcp_namespace(network: model.Network) -> str:
    """The namespace of a network's DHCP server, named as Neutron does."""
    return f"qdhcp-{network.id}"


def facts(view: HostView, tx_checksum: bool) -> Iterator[Fact]:
    """Yield the DHCP servers of this host, whom they serve and what they tell them."""
    for port in view.local_ports_of(model.DHCP):
        network = view.topology.networks[port.network]
        place = dhcp_namespace(network)
        subnets = [subnet for subnet in network.subnets if subnet.dhcp]
        yield from namespace(place, NO_IPV6)
        yield from plugged(view, port, place, tx_checksum)
        for fixed in port.addresses[1:]:
            broadcast = str(fixed.cidr.broadcast_address)
            yield Address(place, port.device, f"{fixed.ip}/{fixed.cidr.prefixlen}", broadcast)
        clients = [
            each
            for each in view.topology.cards
            if each.network == port.network and any(contains(s, each.ip) for s in subnets)
        ]
        for each in clients:
            yield DhcpHost(place, each.mac, each.ip, _host_name(each.name))
            for number, value in each.dhcp_options:
                yield DhcpOption(place, _own_tag(each), word_of(number), value)
        for subnet in subnets:
            for number, value in sorted(_options(network, subnet).items()):
                yield DhcpOption(place, _tag(subnet), word_of(number), value)
        yield _server(view, port, place, subnets, clients)


def _host_name(instance: str) -> str:
    """An instance's name in the letters that a host name may have."""
    return instance.replace("_", "-").replace(".", "-")


def _own_tag(instance: model.Port) -> str:
    """The tag of what an instance alone is told: that goes before what its subnet is told."""
    return f"port-{instance.id}"


def _tag(subnet: model.Subnet) -> str:
    return f"subnet-{subnet.cidr.network_address}"


def _options(network: model.Network, subnet: model.Subnet) -> dict[int, str]:
    """What DHCP tells all of a subnet; an empty router keeps dnsmasq from naming itself."""
    told = {ROUTER: subnet.gateway_ip or ""}
    if subnet.dns:
        told[DNS_SERVER] = ",".join(subnet.dns)
    routes = _routes(network, subnet)
    if routes:
        told |= dict.fromkeys((CLASSLESS_ROUTES, MICROSOFT_ROUTES), routes)
    return told | dict(subnet.dhcp_options)


def _routes(network: model.Network, subnet: model.Subnet) -> str:
    """Routes as Neutron tells them: the subnet's, and onto the wire to the network's others.

    Who heeds this option ignores the router's (RFC 3442): so the default route is in it, too.
    """
    routes = {each.destination: each.nexthop for each in subnet.host_routes}
    for other in network.subnets:
        if other != subnet:
            routes.setdefault(str(other.cidr), ON_LINK)
    if routes and subnet.gateway_ip:
        routes.setdefault(EVERYWHERE, subnet.gateway_ip)
    return ",".join(f"{destination},{nexthop}" for destination, nexthop in routes.items())


def _server(
    view: HostView,
    port: model.Port,
    place: str,
    subnets: Sequence[model.Subnet],
    clients: Sequence[model.Port],
) -> Process:
    name = dhcp_server(place)
    most = min(MOST_LEASES, sum(subnet.cidr.num_addresses for subnet in subnets))
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
        f"--dhcp-hostsfile={told_file(DhcpHost, place)}",
        f"--dhcp-optsfile={told_file(DhcpOption, place)}",
        f"--dhcp-leasefile={leases_file(place)}",
        f"--dhcp-lease-max={most}",
        f"--dhcp-option-force=option:mtu,{view.topology.underlay.overlay_mtu}",
    ]
    for subnet in subnets:
        first, mask = subnet.cidr.network_address, subnet.cidr.netmask
        argv.append(f"--dhcp-range=set:{_tag(subnet)},{first},static,{mask},{LEASE_SECONDS}s")
    for each in sorted(clients, key=lambda each: each.id):
        if each.dhcp_options:
            argv.append(f"--dhcp-mac=set:{_own_tag(each)},{each.mac}")
    return Process(name, place, tuple(argv), device_key(place, port.device))
