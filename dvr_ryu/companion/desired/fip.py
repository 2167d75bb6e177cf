"""Distributed floating addresses on one host: a fip- namespace per external network, between
qrouters and fg-. Pure.

Every host has a route to each of them, as the article prints it; but a host answers ARP, and
returns its own routers' packets, only for the addresses whose instance it has.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dvr_ryu.companion.desired.common import (
    OWN_TABLE,
    ROUTER_SYSCTLS,
    address,
    as_integer,
    device_sysctls,
    empty_namespace,
    outer_routes,
    plugged,
    subnet_of,
)
from dvr_ryu.companion.resources.device import Device, device_key
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import Neighbour, ProxyNeighbour
from dvr_ryu.companion.resources.routing.route import Route, route_key
from dvr_ryu.companion.resources.routing.rule import Rule
from dvr_ryu.companion.resources.routing.tables import MAIN_TABLE
from dvr_ryu.companion.resources.sysctl import Sysctl
from dvr_ryu.companion.resources.veth_pair import VethPair
from dvr_ryu.topology import model
from dvr_ryu.topology.family import Family
from dvr_ryu.topology.view import HostView

BEFORE_MAIN = 32765
"""The priority of the rules for packets of routers and of the namespace itself. Neutron's is the
table's number, after main; but here main leads to the floating addresses of other hosts' instances,
too, and back to the router."""


def fip_namespace(network: model.Network) -> str:
    """The namespace of an external network's floating addresses, named as Neutron does."""
    return f"fip-{network.id}"


def link_veth(router: model.Router, network: model.Network) -> VethPair:
    """The pair between a router's namespace and the fip- namespace."""
    return VethPair(router.namespace, router.rfp_device, fip_namespace(network), router.fpr_device)


def resources(view: HostView, tx_checksum: bool) -> Iterator[Resource]:
    """Yield the fip- namespaces of this host."""
    for gateway in view.local_ports_of(model.AGENT_GATEWAY):
        network = view.topology.networks[gateway.network]
        here = [each for each in view.floating_ips if each.network == network.name]
        names = {each.router for each in here}
        routers = [router for router in view.local_routers if router.name in names]
        yield from _gateway(view, gateway, tx_checksum)
        for router in routers:
            yield from _link(view, network, router)
            yield from _ways_to_floating_addresses(view, network, router)
            yield from _ways_from_router(view, gateway, router, here)
        yield from _ways(view, gateway, here, OWN_TABLE, "lo")
        for each in here:
            yield ProxyNeighbour(
                fip_namespace(network),
                gateway.device,
                each.ip,
                after=(route_key(fip_namespace(network), MAIN_TABLE, f"{each.ip}/32"),),
            )


def _gateway(view: HostView, gateway: model.Port, tx_checksum: bool) -> Iterator[Resource]:
    """The fg- port: this host's port in the external network."""
    namespace = fip_namespace(view.topology.networks[gateway.network])
    fg = gateway.device
    yield from empty_namespace(namespace, {**ROUTER_SYSCTLS, "net/ipv4/ip_nonlocal_bind": "1"})
    # All NAT is in the qrouters; packets here need no conntrack.
    yield Chain(namespace, "raw", "PREROUTING", ("-j CT --notrack",))
    yield from plugged(view, gateway, namespace, tx_checksum)
    # Not proxy_arp: it would answer for every address that there is a route to, on every host.
    yield from device_sysctls(namespace, fg, rp_filter="0", proxy_arp="0")
    # Answer at once: at 0, the kernel's arp_process does not put the answer off.
    yield Sysctl(
        namespace, f"{Family.IPV4.sysctls}/neigh/{fg}/proxy_delay", "0", device_key(namespace, fg)
    )
    own = address(view, gateway, namespace)
    external_gateway = subnet_of(view, gateway).gateway_ip
    yield Route(namespace, MAIN_TABLE, "default", external_gateway, fg, (own.key,))


def _link(view: HostView, network: model.Network, router: model.Router) -> Iterator[Resource]:
    namespace, fpr, link = fip_namespace(network), router.fpr_device, router.fip_link
    veth = link_veth(router, network)
    yield veth
    yield Device(namespace, fpr, link.fpr_mac, view.topology.underlay.overlay_mtu, None, veth.key)
    yield Address(namespace, fpr, f"{link.fpr_ip}/31", None)
    yield from device_sysctls(namespace, fpr, rp_filter="0")
    yield Neighbour(namespace, fpr, link.rfp_ip, link.rfp_mac)


def _ways_to_floating_addresses(
    view: HostView, network: model.Network, router: model.Router
) -> Iterator[Resource]:
    """The routes in main: every distributed address of the router, on any host."""
    namespace, link = fip_namespace(network), router.fip_link
    own = Address(namespace, router.fpr_device, f"{link.fpr_ip}/31", None)
    for each in view.topology.floating_behind[router.name]:
        if not each.central:
            yield Route(
                namespace, MAIN_TABLE, f"{each.ip}/32", link.rfp_ip, router.fpr_device, (own.key,)
            )


def _ways_from_router(
    view: HostView, gateway: model.Port, router: model.Router, here: list[model.FloatingIp]
) -> Iterator[Resource]:
    """The rules for packets from a router, which has its own routes by fg-, too."""
    namespace = fip_namespace(view.topology.networks[gateway.network])
    index = as_integer(router.fip_link.fpr_ip)
    outer = tuple(outer_routes(view, router, namespace, index, gateway))
    yield from outer
    yield from _ways(view, gateway, here, index, router.fpr_device, outer)


def _ways(
    view: HostView,
    gateway: model.Port,
    here: list[model.FloatingIp],
    index: int,
    sender: str,
    outer: Sequence[Route] = (),
) -> Iterator[Resource]:
    """The table for packets that enter by a device, or for this namespace's own: to floating
    addresses of this host, else by fg-. Main would lead to those of other hosts by this host's
    router.
    """
    namespace = fip_namespace(view.topology.networks[gateway.network])
    fg, subnet = gateway.device, subnet_of(view, gateway)
    routers = view.topology.routers
    own = (address(view, gateway, namespace).key,)
    onto_network = Route(namespace, index, str(subnet.cidr), None, fg, own)
    way_out = Route(namespace, index, "default", subnet.gateway_ip, fg, (*own, onto_network.key))
    yield onto_network
    yield way_out
    ways = [*outer]
    for each in here:
        assert each.router is not None, "the view has only bound floating addresses"
        owner = routers[each.router]
        foot = Address(namespace, owner.fpr_device, f"{owner.fip_link.fpr_ip}/31", None)
        turn = Route(
            namespace, index, f"{each.ip}/32", owner.fip_link.rfp_ip, owner.fpr_device, (foot.key,)
        )
        ways.append(turn)
        yield turn
    after = tuple(route.key for route in (onto_network, way_out, *ways))
    yield Rule(namespace, BEFORE_MAIN, index, iif=sender, after=after)
