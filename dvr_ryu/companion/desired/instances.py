"""Instances: a namespace with its NICs, each with a port of br-int. Pure.

If a NIC's network has DHCP, a client runs for it as in any guest; else the companion sets its
address. The companion sets further addresses in any case, and only the first NIC has a default
route. An instance itself decides which of its allowed_address_pairs it uses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from functools import partial

from dvr_ryu.companion.desired.bridges import integration_port
from dvr_ryu.companion.desired.cache import ResourceCache
from dvr_ryu.companion.desired.common import (
    EVERYWHERE,
    address,
    empty_namespace,
    outer_end,
    subnet_of,
)
from dvr_ryu.companion.desired.dhcp import answered_options
from dvr_ryu.companion.desired.network_inputs import NetworkInputs
from dvr_ryu.companion.resources.device import Device, device_key
from dvr_ryu.companion.resources.dhcp.renewal import Renewal
from dvr_ryu.companion.resources.process import DHCP_SCRIPT, Process, pid_file
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.companion.resources.routing.tables import MAIN_TABLE
from dvr_ryu.companion.resources.sysctl import RestoredSysctl
from dvr_ryu.companion.resources.veth_pair import instance_veth
from dvr_ryu.topology import model
from dvr_ryu.topology.family import Family
from dvr_ryu.topology.view import HostView


def resources(
    view: HostView, tx_checksum: bool, cache: ResourceCache, network_inputs: NetworkInputs
) -> Iterator[Resource]:
    """Yield the instances of this host."""
    ports = [port for port in view.topology.service_ports if port.owner == model.DHCP]
    servers = {port.network: port.host for port in (*ports, *view.local_ports_of(model.DHCP))}
    several = frozenset(port.name for port in view.topology.more_cards)
    cards: dict[str, list[model.Port]] = {}
    for port in view.local_ports_of(model.COMPUTE):
        if port.guest == model.NAMESPACE:
            cards.setdefault(port.network, []).append(port)
    for network, here in cards.items():
        how = (tx_checksum, servers.get(network, ""))
        among = several.intersection(port.name for port in here) if several else several
        name = f"cards {network}"
        make = partial(_of_network, view, here, among, *how, cache.inner(name))
        yield from cache.resources(name, (*how, among, network_inputs.of(network)), make)


def _of_network(
    view: HostView,
    cards: Iterable[model.Port],
    several: Collection[str],
    tx_checksum: bool,
    server: str,
    cache: ResourceCache,
) -> Iterator[Resource]:
    cache.begin()
    for port in cards:
        made = (tx_checksum, port.name in several, server)
        make = partial(_of_card, view, port, *made)
        yield from cache.resources(port.id, (port, *made, *circumstances(view, port)), make)


def circumstances(view: HostView, port: model.Port) -> tuple[object, ...]:
    """The inputs of a card's resources: parts of a view."""
    topology, network = view.topology, port.network
    served, subnets = network in topology.served_by_dhcp, topology.networks[network].subnets
    return topology.underlay, subnets, view.local_vlans[network], served


def _of_card(
    view: HostView, port: model.Port, tx_checksum: bool, several: bool, server: str
) -> Iterator[Resource]:
    yield from _card(view, port, tx_checksum)
    if several:
        yield from _one_of_several(port)
    if is_served(view, port):
        yield _dhcp_client(port)
        yield _renewal(view, port, server)
    else:
        yield from static_address(view, port)
    yield from further_addresses(port)


def leased(view: HostView, names: Collection[str]) -> Iterator[Address | Route]:
    """Yield the addresses that DHCP will assign to the cards of instances; they arrive with
    these."""
    for port in view.local_ports_of(model.COMPUTE):
        if port.name in names and port.guest == model.NAMESPACE and is_served(view, port):
            yield from static_address(view, port)


def is_served(view: HostView, port: model.Port) -> bool:
    """Whether DHCP assigns the first address of a card, and its routes."""
    return port.network in view.topology.served_by_dhcp and subnet_of(view, port).dhcp


def _card(view: HostView, port: model.Port, tx_checksum: bool) -> Iterator[Resource]:
    namespace = model.instance_namespace(port.name)
    veth = instance_veth(namespace, port.card, port.device)
    mtu = view.topology.underlay.overlay_mtu
    yield from empty_namespace(namespace, {})
    yield veth
    yield Device(namespace, port.card, port.mac, mtu, tx_checksum, veth.key)
    yield from outer_end(view, port, veth, tx_checksum)
    yield integration_port(view, port, namespace, veth.key)


def _one_of_several(port: model.Port) -> Iterator[Resource]:
    """One of several cards answers for its own addresses only. An answer may leave by another."""
    namespace = model.instance_namespace(port.name)
    for name, value in (("arp_ignore", "1"), ("arp_announce", "2"), ("rp_filter", "2")):
        yield RestoredSysctl(namespace, f"{Family.IPV4.sysctls}/conf/{port.card}/{name}", value)


def _dhcp_client(port: model.Port) -> Process:
    """The guest's DHCP client, which asks for the address that it should get.

    An edit of the address or the MAC changes its argv: then the companion restarts it, as a user
    would restart an instance. After an edit of other options the client asks again.
    """
    namespace, name = model.instance_namespace(port.name), _client(port)
    client_id = f"0x3d:01{port.mac.replace(':', '')}"  # udhcpc's own default
    argv = (
        "udhcpc", "-f", "-R", "-t", "0", "-T", "1", "-i", port.card, "-r", port.ip,
        "-O", "mtu", "-O", "search", "-O", "staticroutes",
        "-x", f"hostname:{port.name}", "-x", client_id, "-s", DHCP_SCRIPT, "-p", pid_file(name),
    )  # fmt: skip
    return Process(name, namespace, argv, device_key(namespace, port.card))


def _client(port: model.Port) -> str:
    # No name of an instance has a colon: so no two clients have one name.
    return f"udhcpc-{port.name}" if port.number == 0 else f"udhcpc-{port.name}:{port.card}"


def _renewal(view: HostView, port: model.Port, server: str) -> Renewal:
    options = answered_options(view, port)
    answer = [port.mac, sorted(options.items())]  # with another MAC it is another client
    digest = hashlib.sha256(repr(answer).encode()).hexdigest()[:16]
    namespace = model.instance_namespace(port.name)
    here = tuple(options) if server == view.host.name else ()
    return Renewal(namespace, _client(port), digest, server, (("process", _client(port)), *here))


def static_address(view: HostView, port: model.Port) -> Iterator[Address | Route]:
    """Yield the first address of a card and its routes, as DHCP would assign them."""
    namespace = model.instance_namespace(port.name)
    own = address(view, port, namespace, port.card)
    yield own
    subnet = subnet_of(view, port)
    routes = {each.destination: each.nexthop for each in subnet.host_routes}
    if subnet.gateway_ip:
        routes.setdefault(EVERYWHERE, subnet.gateway_ip)
    if port.number != 0:
        routes.pop(EVERYWHERE, None)
    for destination, nexthop in routes.items():
        name = "default" if destination == EVERYWHERE else destination
        yield Route(namespace, MAIN_TABLE, name, nexthop, port.card, after=(own.key,))


def further_addresses(port: model.Port) -> Iterator[Address]:
    """Yield the further addresses: with /32, if another address of the card is in the same subnet.
    So the kernel takes the first one as the source, in any order of setting them.
    """
    namespace = model.instance_namespace(port.name)
    reached = {port.cidr}
    for fixed in port.addresses[1:]:
        if fixed.cidr in reached:
            yield Address(namespace, port.card, f"{fixed.ip}/32", None)
        else:
            broadcast = str(fixed.cidr.broadcast_address)
            yield Address(namespace, port.card, f"{fixed.ip}/{fixed.cidr.prefixlen}", broadcast)
            reached.add(fixed.cidr)
