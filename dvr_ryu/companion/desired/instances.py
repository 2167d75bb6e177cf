"""Instances: a namespace with its network cards, each wired to br-int. Pure.

Where a card's network has DHCP, a client runs for it as in any guest; else its address is set. What
an instance has besides its first address is set, and only the first card leads to the world. Which
of its allowed_address_pairs an instance uses is its own affair.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator
from functools import partial

from dvr_ryu.companion.desired.bridges import integration_port
from dvr_ryu.companion.desired.cache import ResourceCache
from dvr_ryu.companion.desired.common import EVERYWHERE, address, namespace, outer_end, subnet_of
from dvr_ryu.companion.desired.dhcp import sayings
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
        yield from cache.resources(port.id, (port, *made, *_circumstances(view, port)), make)


def _circumstances(view: HostView, port: model.Port) -> tuple[object, ...]:
    """What of a view the resources of a card are made of."""
    topology, network = view.topology, port.network
    served, subnets = network in topology.served_by_dhcp, topology.networks[network].subnets
    return topology.underlay, subnets, view.local_vlans[network], served


def _of_card(
    view: HostView, port: model.Port, tx_checksum: bool, several: bool, server: str
) -> Iterator[Resource]:
    yield from _card(view, port, tx_checksum)
    if several:
        yield from _one_of_several(port)
    if _is_served(view, port):
        yield _dhcp_client(port)
        yield _renewal(view, port, server)
    else:
        yield from _static_address(view, port)
    yield from _further_addresses(port)


def leased(view: HostView, names: Collection[str]) -> Iterator[Address | Route]:
    """Yield what DHCP will tell the cards of instances, which come here with it."""
    for port in view.local_ports_of(model.COMPUTE):
        if port.name in names and _is_served(view, port):
            yield from _static_address(view, port)


def _is_served(view: HostView, port: model.Port) -> bool:
    return port.network in view.topology.served_by_dhcp and subnet_of(view, port).dhcp


def _card(view: HostView, port: model.Port, tx_checksum: bool) -> Iterator[Resource]:
    place = model.instance_namespace(port.name)
    veth = instance_veth(place, port.card, port.device)
    mtu = view.topology.underlay.overlay_mtu
    yield from namespace(place, {})
    yield veth
    yield Device(place, port.card, port.mac, mtu, tx_checksum, veth.key)
    yield from outer_end(view, port, veth, tx_checksum)
    yield integration_port(view, port, place, veth)


def _one_of_several(port: model.Port) -> Iterator[Resource]:
    """A card answers for its own addresses only, and an answer may leave by another card."""
    place = model.instance_namespace(port.name)
    for name, value in (("arp_ignore", "1"), ("arp_announce", "2"), ("rp_filter", "2")):
        yield RestoredSysctl(place, f"net/ipv4/conf/{port.card}/{name}", value)


def _dhcp_client(port: model.Port) -> Process:
    """The guest's DHCP client, which asks for the address that it should get.

    When an edit changes the address or the MAC, these words change, and the client is started anew,
    as an instance would be. When it changes what else is told, it asks again.
    """
    place, name = model.instance_namespace(port.name), _client(port)
    client_id = f"0x3d:01{port.mac.replace(':', '')}"  # what udhcpc says unasked
    argv = (
        "udhcpc", "-f", "-R", "-t", "0", "-T", "1", "-i", port.card, "-r", port.ip,
        "-O", "mtu", "-O", "search", "-O", "staticroutes",
        "-x", f"hostname:{port.name}", "-x", client_id, "-s", DHCP_SCRIPT, "-p", pid_file(name),
    )  # fmt: skip
    return Process(name, place, argv, device_key(place, port.card))


def _client(port: model.Port) -> str:
    # No name has a colon: another instance's client is never called so.
    return f"udhcpc-{port.name}" if port.number == 0 else f"udhcpc-{port.name}:{port.card}"


def _renewal(view: HostView, port: model.Port, server: str) -> Renewal:
    said = sayings(view, port)
    told = [port.mac, sorted(said.items())]  # with another MAC it is another client
    digest = hashlib.sha256(repr(told).encode()).hexdigest()[:16]
    place = model.instance_namespace(port.name)
    here = tuple(said) if server == view.host.name else ()
    return Renewal(place, _client(port), digest, server, (("process", _client(port)), *here))


def _static_address(view: HostView, port: model.Port) -> Iterator[Address | Route]:
    place = model.instance_namespace(port.name)
    own = address(view, port, place, port.card)
    yield own
    subnet = subnet_of(view, port)
    routes = {each.destination: each.nexthop for each in subnet.host_routes}
    if subnet.gateway_ip:
        routes.setdefault(EVERYWHERE, subnet.gateway_ip)
    if port.number != 0:
        routes.pop(EVERYWHERE, None)
    for destination, nexthop in routes.items():
        name = "default" if destination == EVERYWHERE else destination
        yield Route(place, MAIN_TABLE, name, nexthop, port.card, after=(own.key,))


def _further_addresses(port: model.Port) -> Iterator[Resource]:
    """Alone, without the subnet, where another address brings that: so the first is what others
    see, whichever is set first.
    """
    place = model.instance_namespace(port.name)
    reached = {port.cidr}
    for fixed in port.addresses[1:]:
        if fixed.cidr in reached:
            yield Address(place, port.card, f"{fixed.ip}/32", None)
        else:
            broadcast = str(fixed.cidr.broadcast_address)
            yield Address(place, port.card, f"{fixed.ip}/{fixed.cidr.prefixlen}", broadcast)
            reached.add(fixed.cidr)
