"""A distributed router on one host: its qrouter- namespace. Pure; the values are Neutron's.

East-west traffic takes the main table, which has the router's own routes, and permanent neighbours.
Policy rules route the rest: table 16 leads from floating addresses to the fip- namespace, other
tables lead to the SNAT host.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from dvr_ryu.companion.desired.cache import ResourceCache
from dvr_ryu.companion.desired.common import (
    NO_IPV6,
    OWN_TABLE,
    ROUTER_SYSCTLS,
    address,
    as_integer,
    contains,
    device_sysctls,
    empty_namespace,
    extra_routes,
    liberal_conntrack,
    plugged,
)
from dvr_ryu.companion.desired.fip import link_veth
from dvr_ryu.companion.desired.nat import (
    as_own,
    dnat,
    float_snat,
    hairpin,
    nat_hooks,
    nothing_untranslated,
    translations,
)
from dvr_ryu.companion.desired.network_inputs import NetworkInputs
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import Neighbour
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.companion.resources.routing.rule import Rule
from dvr_ryu.topology import model
from dvr_ryu.topology.view import HostView

LAST = (1 << 32) - 1
"""The priority of the rule for packets that the router itself sends. SNAT's rules match those from
one of its inner addresses first."""
FIP_TABLE = 16
"""The table for instances with a floating address: Neutron's dvr_local_router.FIP_RT_TBL."""


def resources(
    view: HostView, tx_checksum: bool, cache: ResourceCache, network_inputs: NetworkInputs
) -> Iterator[Resource]:
    """Yield the routers that route on this host."""
    for router in view.local_routers:
        floating_ips = tuple(view.distributed_through(router))
        central = tuple(view.central_through(router)) if floating_ips else ()
        outside = view.topology.networks[floating_ips[0].network] if floating_ips else None
        joined = [network_inputs.of(each.network) for each in router.interfaces]
        make = partial(_of_router, view, router, tx_checksum, floating_ips, central)
        made_of = (tx_checksum, router, floating_ips, central, outside, joined)
        yield from cache.resources(f"router {router.name}", made_of, make)


def _of_router(
    view: HostView,
    router: model.Router,
    tx_checksum: bool,
    floating_ips: Sequence[model.FloatingIp],
    central: Sequence[model.FloatingIp],
) -> Iterator[Resource]:
    yield from _east_west(view, router, tx_checksum)
    yield from _snat_redirects(view, router)
    if floating_ips:
        yield from _floating(view, router, floating_ips, central)


def _east_west(view: HostView, router: model.Router, tx_checksum: bool) -> Iterator[Resource]:
    namespace = router.namespace
    yield from empty_namespace(namespace, {**ROUTER_SYSCTLS, **NO_IPV6})
    yield liberal_conntrack(namespace)
    for interface in router.interfaces:
        yield from plugged(view, interface, namespace, tx_checksum)
        yield from device_sysctls(namespace, interface.device, rp_filter="0", send_redirects="0")
        for ip, mac in _neighbours(view, interface):
            yield Neighbour(namespace, interface.device, ip, mac)
    yield from extra_routes(view, router, namespace, router.interfaces)


def _neighbours(view: HostView, interface: model.RouterInterface) -> Iterator[tuple[str, str]]:
    """Yield the known neighbours. A virtual IP is not known: the instance that announces it owns
    it."""
    for router in view.topology.routers.values():
        for each in router.interfaces:
            same_subnet = (each.network, each.cidr) == (interface.network, interface.cidr)
            if same_subnet and each.router != interface.router:
                yield each.ip, each.mac
    owners = (model.COMPUTE, model.DHCP, model.ROUTER_SNAT)
    network, virtual_ips = interface.network, view.topology.virtual_ips
    for port in view.topology.ports_in[network]:
        if port.owner in owners:
            for fixed in port.addresses:
                if fixed.cidr == interface.cidr and (network, fixed.ip) not in virtual_ips:
                    yield fixed.ip, port.mac


def _snat_redirects(view: HostView, router: model.Router) -> Iterator[Resource]:
    """Yield a rule and a route for each subnet: packets that main does not route go to the sg- port
    of the router's SNAT host. A prefix behind a next hop goes with the subnet of that.
    """
    for interface in router.interfaces:
        if interface.snat_port is not None:
            index = as_integer(interface.ip)
            via = interface.snat_port.ip
            own = address(view, interface, router.namespace)
            route = Route(router.namespace, index, "default", via, interface.device, (own.key,))
            yield route
            here = (each for each in router.inner_routes if contains(interface, each.nexthop))
            for source in (interface.cidr, *(each.destination for each in here)):
                yield Rule(router.namespace, index, index, source=str(source), after=(route.key,))


def _floating(
    view: HostView,
    router: model.Router,
    floating_ips: Sequence[model.FloatingIp],
    central: Sequence[model.FloatingIp],
) -> Iterator[Resource]:
    namespace, rfp, link = router.namespace, router.rfp_device, router.fip_link
    mtu = view.topology.underlay.overlay_mtu
    network = view.topology.networks[floating_ips[0].network]
    yield Device(namespace, rfp, link.rfp_mac, mtu, None, link_veth(router, network).key)
    yield from device_sysctls(namespace, rfp, rp_filter="0")
    own = Address(namespace, rfp, f"{link.rfp_ip}/31", None)
    yield own
    yield Neighbour(namespace, rfp, link.fpr_ip, link.fpr_mac)
    way_out = Route(namespace, FIP_TABLE, "default", link.fpr_ip, rfp, (own.key,))
    yield way_out
    chains = tuple(_nat(router, floating_ips, central))
    yield from chains
    # After its NAT: else a connection would leave with the fixed address, and retain it.
    after = (way_out.key, *(chain.key for chain in chains))
    for each in floating_ips:
        yield Address(namespace, rfp, f"{each.ip}/32", each.ip)
        yield Rule(namespace, each.rule_priority, FIP_TABLE, source=each.fixed_ip, after=after)
    yield from _answers(router, floating_ips[0].ip)
    yield from translations(namespace, [*floating_ips, *central])


def _answers(router: model.Router, source: str) -> Iterator[Resource]:
    """Yield the route by which the router itself answers packets from outside. The source of errors
    about forwarded packets is the floating address that they were for; the source of all other
    packets is the first floating address of this host.
    """
    namespace, rfp, link = router.namespace, router.rfp_device, router.fip_link
    after = (
        Address(namespace, rfp, f"{link.rfp_ip}/31", None).key,
        Address(namespace, rfp, f"{source}/32", source).key,
    )
    way_out = Route(namespace, OWN_TABLE, "default", link.fpr_ip, rfp, after, source)
    yield way_out
    yield Rule(namespace, LAST, OWN_TABLE, iif="lo", after=(way_out.key,))


def _nat(
    router: model.Router,
    floating_ips: Sequence[model.FloatingIp],
    central: Sequence[model.FloatingIp],
) -> Iterator[Chain]:
    namespace = router.namespace
    east_west = f"! -o {router.rfp_device} -m conntrack ! --ctstate DNAT -j ACCEPT"
    # An instance without a floating address may connect to the floating address of a neighbour on
    # this host: the neighbour must answer by this router, so it sees the router's address, as it
    # would from afar.
    snat = ("-j neutron-l3-agent-float-snat", *as_own(central), *hairpin(router))
    yield from dnat(namespace, floating_ips)
    yield Chain(namespace, "nat", "neutron-l3-agent-POSTROUTING", (east_west,))
    yield float_snat(namespace, floating_ips)
    yield Chain(namespace, "nat", "neutron-l3-agent-snat", snat)
    yield from nat_hooks(namespace)
    yield nothing_untranslated(namespace, router, router.rfp_device)
