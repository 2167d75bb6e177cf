"""Addresses, routes, policy rules and neighbours, by netlink: one write per namespace and kind.

In our namespaces all of them are ours, except kernel-made ones: of those, it reads only the desired
ones. In an instance's namespace, ours carry our mark: a label, or the protocol `static`. A look
reads IPv6 only if an IPv6 resource is desired somewhere.
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator, Mapping, Sequence
from ipaddress import IPv6Address
from socket import if_indextoname
from typing import Any, TypeAlias

from pyroute2 import netlink as nl
from pyroute2.netlink import rtnl
from pyroute2.netlink.rtnl import rt_proto
from pyroute2.netlink.rtnl.fibmsg import FR_ACT_TO_TBL, FR_ACT_UNSPEC, fibmsg
from pyroute2.netlink.rtnl.ifaddrmsg import IFA_F_NODAD, ifaddrmsg
from pyroute2.netlink.rtnl.ndmsg import NTF_PROXY, NUD_PERMANENT, ndmsg

from dvr_ryu.companion.desired.kernel_made import KERNEL_RULES
from dvr_ryu.companion.providers.netlink.client import GONE, Netlink, Request, netlink
from dvr_ryu.companion.providers.netlink.messages import Message, as_bytes, as_text, message, values
from dvr_ryu.companion.providers.netlink.namespaces import exists
from dvr_ryu.companion.providers.netlink.routes import (
    kernel_routes,
    route_message,
    route_removal,
    routes,
    routes_on,
)
from dvr_ryu.companion.providers.netlink.visits import Visit, VisitingProvider
from dvr_ryu.companion.providers.provider import Look
from dvr_ryu.companion.resources.namespace import ROOT, by_namespace, in_instance
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.foreign_route import ForeignRoute
from dvr_ryu.companion.resources.routing.neighbour import Neighbour, ProxyNeighbour
from dvr_ryu.companion.resources.routing.route import KernelRoute, Route
from dvr_ryu.companion.resources.routing.rule import KernelRule, Rule
from dvr_ryu.topology.family import Family

Makeable: TypeAlias = Address | Route | KernelRoute | Rule | KernelRule | Neighbour | ProxyNeighbour
RoutingResource: TypeAlias = Makeable | ForeignRoute

REFUSED_BECAUSE_THERE = (errno.EEXIST,)

_RULE_FOR_ALL = {"FRA_PRIORITY", "FRA_SUPPRESS_PREFIXLEN", "FRA_TABLE", "FRA_PROTOCOL"}
_NOTHING_SUPPRESSED = (None, 0xFFFFFFFF)


def read(
    kernel: Netlink,
    devices: Sequence[str],
    wanted: Mapping[Key, Resource],
    families: Collection[Family] = (Family.IPV4,),
) -> Iterator[RoutingResource]:
    """Yield the resources on the named devices of a namespace, and its policy rules.

    Of kernel-made resources, it yields only desired ones. Of an instance, it yields only those with
    our mark and desired ones: these may be older than the mark. Of the host's own namespace, it
    yields no rules and only the kernel's routes: none of ours are there.
    """
    names = {kernel.index(device): device for device in devices if device != "lo"}
    for family in families:
        yield from _read(kernel, family, names, wanted)


def _read(
    kernel: Netlink, family: Family, names: dict[int, str], wanted: Mapping[Key, Resource]
) -> Iterator[RoutingResource]:
    if not kernel.namespace:
        yield from (address for address, _ in _addresses(kernel, family, names))
        if wanted and names:
            kernel.heed_filters()
            for index in names:
                yield from kernel_routes(kernel, family, index, wanted)
        return
    if in_instance(kernel.namespace):
        found: list[tuple[RoutingResource, bool]] = []
        found += _addresses(kernel, family, names)
        found += routes(kernel, family, names, wanted)
        found += [(rule, False) for rule in _rules(kernel, family)]
        yield from (resource for resource, marked in found if marked or resource.key in wanted)
        return
    yield from (address for address, _ in _addresses(kernel, family, names))
    ours = names | {kernel.index("lo"): "lo"}
    yield from (route for route, _ in routes(kernel, family, ours, wanted))
    rules = _rules(kernel, family)
    yield from (rule for rule in rules if not rule.by_kernel or rule.key in wanted)
    yield from _neighbours(kernel, family, names)


def devices_with(kernel: Netlink, address: str) -> Iterator[str]:
    """Yield the devices of a namespace that have an address."""
    family = Family.of(address)
    for found in kernel.dump(rtnl.RTM_GETADDR, ifaddrmsg, family=family.number):
        local, prefix = values(found, "IFA_LOCAL", "IFA_ADDRESS")
        if (local or prefix) == address:
            yield if_indextoname(found["index"])


def on_device(kernel: Netlink, device: str) -> Iterator[Address | Route]:
    """Yield the IPv4 addresses and routes of an existing device, whichever program set them."""
    names = {kernel.index(device): device}
    yield from (address for address, _ in _addresses(kernel, Family.IPV4, names))
    yield from routes_on(kernel, device)


def _addresses(
    kernel: Netlink, family: Family, names: dict[int, str]
) -> Iterator[tuple[Address, bool]]:
    """Yield addresses, each with whether it carries our mark; without the link-local ones that
    IPv6 gives every device.
    """
    for found in kernel.dump(rtnl.RTM_GETADDR, ifaddrmsg, family=family.number):
        if found["index"] in names:
            local, prefix, broadcast, label = values(
                found, "IFA_LOCAL", "IFA_ADDRESS", "IFA_BROADCAST", "IFA_LABEL"
            )
            if family is Family.IPV6 and IPv6Address(prefix).is_link_local:
                continue
            device, address = names[found["index"]], f"{local or prefix}/{found['prefixlen']}"
            peer = prefix if local and prefix != local else None
            resource = Address(kernel.namespace, device, address, broadcast, peer)
            yield resource, as_text(label or "") == resource.label


def _rules(kernel: Netlink, family: Family) -> Iterator[Rule | KernelRule]:
    for found in kernel.dump(rtnl.RTM_GETRULE, fibmsg, family=family.number):
        priority, table, address, iif, suppressed = values(
            found, "FRA_PRIORITY", "FRA_TABLE", "FRA_SRC", "FRA_IIFNAME", "FRA_SUPPRESS_PREFIXLEN"
        )
        priority = priority or 0
        if (priority, table) in KERNEL_RULES and address is None and iif is None:
            # A rule for some packets only is foreign, not the kernel's.
            names = {attribute.name for attribute in found["attrs"]}
            if names <= _RULE_FOR_ALL and suppressed in _NOTHING_SUPPRESSED:
                yield KernelRule(kernel.namespace, priority, table, family)
        else:
            source = f"{address}/{found['src_len']}" if address else None
            iif = None if iif is None else as_text(iif)
            yield Rule(kernel.namespace, priority, table, source, iif, family=family)


def _neighbours(
    kernel: Netlink, family: Family, names: dict[int, str]
) -> Iterator[Neighbour | ProxyNeighbour]:
    for flags in (0, NTF_PROXY):
        for found in kernel.dump(rtnl.RTM_GETNEIGH, ndmsg, family=family.number, flags=flags):
            device = names.get(found["ifindex"])
            if device is None or not (flags or found["state"] == NUD_PERMANENT):
                continue
            ip, mac = values(found, "NDA_DST", "NDA_LLADDR")
            if ip and flags:
                yield ProxyNeighbour(kernel.namespace, device, ip)
            elif ip and mac:
                yield Neighbour(kernel.namespace, device, ip, mac)


def _devices_of(resource: RoutingResource) -> tuple[str, ...]:
    match resource:
        case Rule() | KernelRule():
            return ()
        case ForeignRoute():
            return tuple(hop.device for hop in resource.hops)
    return (resource.device,)


def _made(kernel: Netlink, resource: Makeable) -> Request:
    if isinstance(resource, KernelRoute):
        # As the kernel does: beside an instance's own route to the same subnet.
        how = nl.NLM_F_APPEND
    elif isinstance(resource, (Route, Neighbour)):
        how = nl.NLM_F_REPLACE
    else:
        how = nl.NLM_F_EXCL
    type_ = _TYPES[type(resource)][0]
    return Request(resource, type_, nl.NLM_F_CREATE | how, _message(kernel, resource))


def _removal(kernel: Netlink, resource: RoutingResource) -> Request:
    if isinstance(resource, Route | KernelRoute | ForeignRoute):
        return Request(resource, rtnl.RTM_DELROUTE, 0, route_removal(kernel, resource))
    removal = _message(kernel, resource)
    if isinstance(resource, Rule):
        # A foreign rule may have any action, blackhole or goto, and no table.
        removal.update(action=FR_ACT_UNSPEC)
    return Request(resource, _TYPES[type(resource)][1], 0, removal)


_ADDRESS, _ROUTE = (rtnl.RTM_NEWADDR, rtnl.RTM_DELADDR), (rtnl.RTM_NEWROUTE, rtnl.RTM_DELROUTE)
_RULE, _NEIGHBOUR = (rtnl.RTM_NEWRULE, rtnl.RTM_DELRULE), (rtnl.RTM_NEWNEIGH, rtnl.RTM_DELNEIGH)
_TYPES: Mapping[type[RoutingResource], tuple[int, int]] = {
    Address: _ADDRESS,
    Route: _ROUTE,
    KernelRoute: _ROUTE,
    ForeignRoute: _ROUTE,
    Rule: _RULE,
    KernelRule: _RULE,
    Neighbour: _NEIGHBOUR,
    ProxyNeighbour: _NEIGHBOUR,
}
"""Kind → the types of the messages that make and remove it."""


def _message(kernel: Netlink, resource: Makeable) -> Message:
    match resource:
        case Address():
            return _address(kernel, resource)
        case Route() | KernelRoute():
            return route_message(kernel, resource)
        case Rule():
            return _rule(resource)
        case KernelRule():
            return _kernel_rule(resource)
        case Neighbour():
            return _neighbour(kernel, resource, 0, ("NDA_LLADDR", resource.mac))
        case ProxyNeighbour():
            return _neighbour(kernel, resource, NTF_PROXY)


def _address(kernel: Netlink, resource: Address) -> Message:
    ip, _, length = resource.address.partition("/")
    has = [("IFA_LOCAL", ip), ("IFA_ADDRESS", resource.peer or ip)]
    has += [("IFA_LABEL", resource.label)] if resource.label else []
    has += [("IFA_BROADCAST", resource.broadcast)] if resource.broadcast else []
    index = kernel.index(resource.device)
    return message(
        ifaddrmsg,
        has,
        family=resource.family.number,
        prefixlen=int(length),
        index=index,
        flags=IFA_F_NODAD if resource.family is Family.IPV6 else 0,
    )


def _rule(resource: Rule) -> Message:
    source, _, length = (resource.source or "").partition("/")
    has: list[tuple[str, Any]] = [
        ("FRA_TABLE", resource.table),
        ("FRA_PRIORITY", resource.priority),
    ]
    has += [("FRA_SRC", source)] if source else []
    has += [("FRA_IIFNAME", as_bytes(resource.iif))] if resource.iif else []
    bits = int(length or resource.family.bits) if source else 0
    family = resource.family.number
    return message(fibmsg, has, family=family, src_len=bits, action=FR_ACT_TO_TBL)


def _kernel_rule(resource: KernelRule) -> Message:
    has = [("FRA_TABLE", resource.table), ("FRA_PRIORITY", resource.priority)]
    has += [("FRA_PROTOCOL", rt_proto["kernel"])]
    return message(fibmsg, has, family=resource.family.number, action=FR_ACT_TO_TBL)


def _neighbour(
    kernel: Netlink, resource: Neighbour | ProxyNeighbour, flags: int, *has: tuple[str, str]
) -> Message:
    return message(
        ndmsg,
        [("NDA_DST", resource.ip), *has],
        family=resource.family.number,
        ifindex=kernel.index(resource.device),
        state=NUD_PERMANENT,
        flags=flags,
    )


class Routing(VisitingProvider):
    """The provider of addresses, routes, rules and neighbours."""

    kinds = (
        *(Address, Route, KernelRoute, ForeignRoute),
        *(Rule, KernelRule, Neighbour, ProxyNeighbour),
    )

    def read(self, look: Look) -> Sequence[RoutingResource]:
        """Return the resources on our devices, and the rules of our namespaces."""
        return self.seen(look)

    def visit(self, visit: Visit) -> Iterator[RoutingResource]:
        """Yield the resources on a namespace's devices; in the host's own, on the gateways."""
        inside = visit.namespace != ROOT
        ours = [link.name for link in visit.links if inside or link.name.startswith("gw-")]
        wanted = visit.look.once(_wanted).get(visit.namespace, {})
        yield from read(visit.kernel, ours, wanted, visit.look.once(_families))

    def make(self, resources: Sequence[Makeable]) -> None:
        """Make resources, namespace by namespace."""
        for namespace, group in by_namespace(resources):
            with netlink(namespace) as kernel:
                kernel.ask((_made(kernel, resource) for resource in group), REFUSED_BECAUSE_THERE)

    def remove(self, resources: Sequence[RoutingResource]) -> None:
        """Remove resources, namespace by namespace."""
        for namespace, group in by_namespace(resources):
            if exists(namespace):
                with netlink(namespace) as kernel:
                    there = [each for each in group if all(map(kernel.has, _devices_of(each)))]
                    kernel.ask((_removal(kernel, each) for each in there), GONE)


def _families(look: Look) -> list[Family]:
    """The families to read: IPv4, and the others desired."""
    wanted = look.wanted(Address, Route, Rule, Neighbour, ProxyNeighbour)
    return sorted({Family.IPV4, *(each.family for each in wanted)})


def _wanted(look: Look) -> dict[str, dict[Key, Resource]]:
    """Namespace → its desired resources of the kinds of which only desired ones are read."""
    wanted: dict[str, dict[Key, Resource]] = {}
    for each in look.wanted(KernelRoute, KernelRule, Address, Route):
        if each.by_kernel or in_instance(each.namespace):
            wanted.setdefault(each.namespace, {})[each.key] = each
    return wanted
