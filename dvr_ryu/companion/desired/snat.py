"""SNAT and central floating addresses on a router's SNAT host: its snat- namespace, between sg-
ports and the qg- port. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.companion.desired.common import (
    NO_IPV6,
    ROUTER_SYSCTLS,
    address,
    device_sysctls,
    empty_namespace,
    extra_routes,
    liberal_conntrack,
    outer_routes,
    plugged,
    subnet_of,
)
from dvr_ryu.companion.desired.nat import (
    dnat,
    float_snat,
    hairpin,
    nat_hooks,
    nothing_untranslated,
    translations,
)
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.companion.resources.routing.tables import MAIN_TABLE
from dvr_ryu.companion.resources.sysctl import Sysctl
from dvr_ryu.topology import model
from dvr_ryu.topology.view import HostView


def resources(view: HostView, tx_checksum: bool) -> Iterator[Resource]:
    """Yield the snat- namespaces of this host."""
    for router in view.snat_routers:
        gateway = router.gateway_port
        if gateway is not None:
            yield from _snat(view, router, gateway, tx_checksum)


def _snat(
    view: HostView, router: model.Router, gateway: model.Port, tx_checksum: bool
) -> Iterator[Resource]:
    namespace = router.snat_namespace
    sysctls = {**ROUTER_SYSCTLS, **NO_IPV6, "net/ipv4/ip_nonlocal_bind": "1"}
    yield from empty_namespace(namespace, sysctls)
    ports = [each.snat_port for each in router.interfaces if each.snat_port is not None]
    for port in (gateway, *ports):
        yield from plugged(view, port, namespace, tx_checksum)
        yield from device_sysctls(namespace, port.device, rp_filter="0", send_redirects="0")
    way_out = subnet_of(view, gateway).gateway_ip
    own = address(view, gateway, namespace)
    yield Route(namespace, MAIN_TABLE, "default", way_out, gateway.device, (own.key,))
    yield from extra_routes(view, router, namespace, ports)
    yield from outer_routes(view, router, namespace, MAIN_TABLE, gateway)
    behind = view.topology.floating_behind[router.name]
    central = [each for each in behind if each.central]
    distributed = [each.ip for each in behind if not each.central]
    for each in central:
        yield Address(namespace, gateway.device, f"{each.ip}/32", each.ip)
    chains = tuple(_nat(router, gateway, central, distributed))
    yield from chains
    yield from translations(namespace, central)
    after = tuple(chain.key for chain in chains)
    yield liberal_conntrack(namespace, after)
    # A packet that begins no connection and belongs to none must get no address.
    path = "net/netfilter/nf_conntrack_tcp_loose"
    yield Sysctl(namespace, path, "0", ("namespace", namespace), after)


def _nat(
    router: model.Router,
    gateway: model.Port,
    central: list[model.FloatingIp],
    distributed: list[str],
) -> Iterator[Chain]:
    namespace, qg = router.snat_namespace, gateway.device
    inside = f"! -o {qg} -m conntrack ! --ctstate DNAT -j ACCEPT"
    # First the instances that have a floating address of their own.
    own = "-j neutron-l3-agent-float-snat"
    snat = f"-o {qg} -j SNAT --to-source {gateway.ip} --random-fully"
    # A distributed address of this router is local to its qrouter on the address's host: that
    # qrouter would consume an answer to it.
    within = hairpin(router, distributed) if central else ()
    yield from dnat(namespace, central)
    yield Chain(namespace, "nat", "neutron-l3-agent-POSTROUTING", (inside,))
    yield float_snat(namespace, central)
    yield Chain(namespace, "nat", "neutron-l3-agent-snat", (own, snat, *within))
    yield from nat_hooks(namespace)
    yield nothing_untranslated(namespace, router, qg)
