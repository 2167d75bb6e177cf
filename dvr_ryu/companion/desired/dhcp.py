"""DHCP: on the host of a network's DHCP port, dnsmasq serves in a namespace per network. Pure.

dnsmasq leases declared machines only their own addresses. It serves undeclared machines only from
dhcp_ranges, and never with a declared address. It serves no DNS, and asks none.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from dvr_ryu.companion.desired.cache import ResourceCache
from dvr_ryu.companion.desired.common import (
    EVERYWHERE,
    NO_IPV6,
    as_integer,
    contains,
    empty_namespace,
    plugged,
    subnet_of,
)
from dvr_ryu.companion.desired.network_inputs import NetworkInputs
from dvr_ryu.companion.resources.device import device_key
from dvr_ryu.companion.resources.dhcp.files import dhcp_server, leases_file
from dvr_ryu.companion.resources.dhcp.leases import LeaseBook
from dvr_ryu.companion.resources.dhcp.lines import DhcpHost, DhcpOption
from dvr_ryu.companion.resources.process import Process, pid_file
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.topology import model
from dvr_ryu.topology.spec.dhcp_options import (
    CLASSLESS_ROUTES,
    DNS_SERVER,
    MICROSOFT_ROUTES,
    MTU,
    ROUTER,
    option_name,
)
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

LEASE_SECONDS = 86400
"""Neutron's dhcp_lease_duration."""
MOST_LEASES = 1 << 24
"""Neutron's cap; dnsmasq's own is a thousand."""
ON_LINK = "0.0.0.0"
"""The next hop of a route to a subnet on the link itself (RFC 3442)."""


def dhcp_namespace(network: model.Network) -> str:
    """The namespace of a network's DHCP server, named as Neutron does."""
    return f"qdhcp-{network.id}"


def resources(
    view: HostView, tx_checksum: bool, cache: ResourceCache, network_inputs: NetworkInputs
) -> Iterator[Resource]:
    """Yield the DHCP servers of this host, with their hosts and options."""
    for port in view.local_ports_of(model.DHCP):
        network = view.topology.networks[port.network]
        ranges = [each for subnet in network.subnets for each in _ranges(subnet, port)]
        declared = _declared_ips(view.topology, network) if ranges else frozenset()
        made_of = (tx_checksum, declared, network_inputs.of(network.name))
        make = partial(_of_network, view, port, tx_checksum, declared)
        yield from cache.resources(f"dhcp {network.name}", made_of, make)


def _of_network(
    view: HostView, port: model.Port, tx_checksum: bool, declared: frozenset[str]
) -> Iterator[Resource]:
    network = view.topology.networks[port.network]
    namespace = dhcp_namespace(network)
    subnets = [subnet for subnet in network.subnets if subnet.dhcp]
    ranges = [each for subnet in subnets for each in _ranges(subnet, port)]
    yield from empty_namespace(namespace, NO_IPV6)
    yield from plugged(view, port, namespace, tx_checksum)
    for fixed in port.addresses[1:]:
        broadcast = str(fixed.cidr.broadcast_address)
        yield Address(namespace, port.device, f"{fixed.ip}/{fixed.cidr.prefixlen}", broadcast)
    clients = [
        each
        for each in view.topology.ports_in[port.network]
        if each.owner == model.COMPUTE and any(contains(s, each.ip) for s in subnets)
    ]
    for each in clients:
        yield DhcpHost(namespace, each.mac, each.ip, _host_name(each.name))
        for number, value in each.dhcp_options:
            yield DhcpOption(namespace, _own_tag(each), option_name(number), value)
    if ranges:
        served = {each.ip for each in clients}
        for ip in sorted(declared - served):
            if any(_is_in(ip, each) for each in ranges):
                yield DhcpHost(namespace, _nobody(ip), ip)
    ends = tuple((each.start, each.end) for each in ranges)
    yield LeaseBook(namespace, view.host.name, network.name, ends)
    for subnet in subnets:
        for number, value in sorted(_options(network, subnet).items()):
            yield DhcpOption(namespace, _tag(subnet), option_name(number), value)
    yield _server(view, port, namespace, subnets, clients)


def answered_options(view: HostView, client: model.Port) -> dict[Key, str]:
    """The options of the server's answers to a client, by the keys of their resources on the
    server's host.
    """
    network = view.topology.networks[client.network]
    subnet = subnet_of(view, client)
    by_tag = [
        (_tag(subnet), _options(network, subnet)),
        (_own_tag(client), dict(client.dhcp_options)),
    ]
    return {
        DhcpOption(dhcp_namespace(network), tag, option_name(number), value).key: value
        for tag, options in by_tag
        for number, value in sorted(options.items())
    }


def client_options(view: HostView, client: model.Port) -> dict[int, str]:
    """What the server tells a client, by the options' numbers: value in dnsmasq's syntax. A
    client's own options go before those of its subnet.
    """
    network, subnet = view.topology.networks[client.network], subnet_of(view, client)
    forced = {MTU: str(view.topology.underlay.overlay_mtu)}
    return forced | _options(network, subnet) | dict(client.dhcp_options)


def _declared_ips(topology: Topology, network: model.Network) -> frozenset[str]:
    """Every address of a network that the topology names: none is for an undeclared machine."""
    routers = topology.routers.values()
    return frozenset({
        *(fixed.ip for port in topology.ports_in[network.name] for fixed in port.addresses),
        *(each.ip for router in routers for each in router.interfaces
          if each.network == network.name),
        *(subnet.gateway_ip for subnet in network.subnets if subnet.gateway_ip),
        *(ip for name, ip in topology.virtual_ips if name == network.name),
        *(each.ip for each in topology.floating_ips.values() if each.network == network.name),
    })  # fmt: skip


def _ranges(subnet: model.Subnet, server: model.Port) -> list[model.DhcpRange]:
    return [each for each in subnet.dhcp_ranges if each.host in (None, server.host)]


def _nobody(ip: str) -> str:
    """A MAC that no card has: dnsmasq reserves an address for it, and so leases it to no client."""
    return "02:00:" + ":".join(f"{int(byte):02x}" for byte in ip.split("."))


def _is_in(ip: str, range: model.DhcpRange) -> bool:
    return as_integer(range.start) <= as_integer(ip) <= as_integer(range.end)


def _host_name(instance: str) -> str:
    """An instance's name in the letters that a host name may have."""
    return instance.replace("_", "-").replace(".", "-")


def _own_tag(instance: model.Port) -> str:
    """The tag of an instance's own options, which go before those of its subnet."""
    return f"port-{instance.id}"


def _tag(subnet: model.Subnet) -> str:
    return f"subnet-{subnet.cidr.network_address}"


def _options(network: model.Network, subnet: model.Subnet) -> dict[int, str]:
    """The options of all clients of a subnet; an empty router keeps dnsmasq from naming itself."""
    options = {ROUTER: subnet.gateway_ip or ""}
    if subnet.dns:
        options[DNS_SERVER] = ",".join(subnet.dns)
    routes = _routes(network, subnet)
    if routes:
        options |= dict.fromkeys((CLASSLESS_ROUTES, MICROSOFT_ROUTES), routes)
    return options | dict(subnet.dhcp_options)


def _routes(network: model.Network, subnet: model.Subnet) -> str:
    """Routes as Neutron has them: the subnet's, and on the link to the network's other subnets.

    A client that uses this option ignores the router option (RFC 3442): so the default route is in
    it, too.
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
    namespace: str,
    subnets: Sequence[model.Subnet],
    clients: Sequence[model.Port],
) -> Process:
    name = dhcp_server(namespace)
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
        f"--dhcp-hostsfile={DhcpHost.file(namespace)}",
        f"--dhcp-optsfile={DhcpOption.file(namespace)}",
        f"--dhcp-leasefile={leases_file(namespace)}",
        f"--dhcp-lease-max={most}",
        f"--dhcp-option-force=option:mtu,{view.topology.underlay.overlay_mtu}",
    ]
    if not any(_ranges(subnet, port) for subnet in subnets):
        argv.append("--no-ping")  # no other machine can have a declared address
    for subnet in subnets:
        # dnsmasq knows the clients with a declared address: these get none of the ranges.
        ranges = [f"tag:!known,{each.start},{each.end}" for each in _ranges(subnet, port)]
        for ends in [f"{subnet.cidr.network_address},static", *ranges]:
            range = f"set:{_tag(subnet)},{ends},{subnet.cidr.netmask},{LEASE_SECONDS}s"
            argv.append(f"--dhcp-range={range}")
    for each in sorted(clients, key=lambda each: each.id):
        if each.dhcp_options:
            argv.append(f"--dhcp-mac=set:{_own_tag(each)},{each.mac}")
    return Process(name, namespace, tuple(argv), device_key(namespace, port.device))
