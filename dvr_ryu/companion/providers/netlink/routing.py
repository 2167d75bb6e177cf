"""Addresses, routes, policy rules and neighbours, by netlink: one write per namespace and kind.

In a namespace of ours all of them are ours, save what the kernel adds of its own accord: of that,
only what is wanted is looked at. In an instance's, those are that carry our mark: a label, or the
protocol `static`.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping, Sequence
from socket import AF_INET
from struct import Struct
from typing import TypeAlias

from dvr_ryu.companion.desired.kernel_made import KERNEL_RULES
from dvr_ryu.companion.providers.netlink.client import (
    APPEND,
    CREATE,
    EXCLUSIVE,
    GONE,
    REPLACE,
    Netlink,
    Request,
    as_ipv4,
    as_number,
    as_text,
    attribute,
    ipv4,
    mac,
    netlink,
    number,
    text,
)
from dvr_ryu.companion.providers.netlink.namespaces import by_namespace, exists
from dvr_ryu.companion.resources.namespace import in_instance
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import Neighbour, ProxyNeighbour
from dvr_ryu.companion.resources.routing.route import KernelRoute, Route
from dvr_ryu.companion.resources.routing.rule import KernelRule, Rule
from dvr_ryu.companion.resources.routing.tables import LOCAL_TABLE, MAIN_TABLE

RoutingResource: TypeAlias = (
    Address | Route | KernelRoute | Rule | KernelRule | Neighbour | ProxyNeighbour
)

# <linux/rtnetlink.h>, if_addr.h, fib_rules.h, neighbour.h: message numbers, fixed headers,
# attributes.
NEW, DELETE, GET = 0, 1, 2
"""What is added to the number of an object's first message."""
ADDRESS, ROUTE, NEIGHBOUR, RULE = 20, 24, 28, 32
_ADDRESS, _ROUTE, _NEIGHBOUR, _RULE = map(Struct, ("=BBBBI", "=8BI", "=BxxxiHBB", "=8BI"))
IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST = 1, 2, 3, 4
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PREFSRC, RTA_TABLE = 1, 4, 5, 7, 15
FRA_SRC, FRA_IIFNAME, FRA_PRIORITY, FRA_SUPPRESS, FRA_TABLE, FRA_PROTOCOL = 2, 3, 6, 14, 15, 21
NDA_DST, NDA_LLADDR = 1, 2

RTPROT_UNSPEC, RTPROT_KERNEL, RTPROT_BOOT, RTPROT_STATIC = 0, 2, 3, 4
"""What is added by hand has protocol `boot`, which `ip route` does not print. To remove a route of
whichever protocol, none is said."""
RTN_UNICAST, RTN_LOCAL = 1, 2
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_SCOPE_HOST, RT_SCOPE_NOWHERE = 0, 253, 254, 255
FR_ACT_UNSPECIFIED, FR_ACT_TO_TABLE = 0, 1
TYPES = {LOCAL_TABLE: RTN_LOCAL, MAIN_TABLE: RTN_UNICAST}
"""Table → the type of the routes that the kernel makes there with an address."""
NUD_PERMANENT = 0x80
NTF_PROXY = 0x08
REFUSED_BECAUSE_THERE = (errno.EEXIST,)


_RULE_FOR_ALL = {FRA_PRIORITY, FRA_SUPPRESS, FRA_TABLE, FRA_PROTOCOL}
_NONE = b"\xff" * 4


def read(
    kernel: Netlink, devices: Sequence[str], wanted: Mapping[Key, Resource]
) -> Iterator[RoutingResource]:
    """Yield what is on the named devices of a namespace, and its policy rules.

    Of what the kernel makes by itself, only what is wanted. Of an instance, only what carries our
    mark, or is wanted: it may have come before the mark. Of the host's own namespace, no rules, and
    no routes but the kernel's: none of ours are there.
    """
    names = {kernel.index(device): device for device in devices if device != "lo"}
    if not kernel.namespace:
        yield from (address for address, _ in _addresses(kernel, names))
        if wanted and names:
            kernel.heed_filters()
            for index in names:
                here = _routes(kernel, names, wanted, number(RTA_OIF, index))
                yield from (route for route, _ in here if route.by_kernel)
        return
    if in_instance(kernel.namespace):
        found: list[tuple[RoutingResource, bool]] = []
        found += [*_addresses(kernel, names), *_routes(kernel, names, wanted)]
        found += [(rule, False) for rule in _rules(kernel)]
        yield from (resource for resource, marked in found if marked or resource.key in wanted)
        return
    yield from (address for address, _ in _addresses(kernel, names))
    yield from (route for route, _ in _routes(kernel, names, wanted))
    yield from (rule for rule in _rules(kernel) if not rule.by_kernel or rule.key in wanted)
    yield from _neighbours(kernel, names)


def devices_with(kernel: Netlink, address: str) -> Iterator[str]:
    """Yield the devices of a namespace that have an address."""
    asked = _ADDRESS.pack(AF_INET, 0, 0, 0, 0)
    for header, has in kernel.dump(ADDRESS + GET, asked, _ADDRESS.size):
        *_, index = _ADDRESS.unpack(header)
        if as_ipv4(has.get(IFA_LOCAL) or has.get(IFA_ADDRESS)) == address:
            yield kernel.name(index)


def on_device(kernel: Netlink, device: str) -> Iterator[Address | Route]:
    """Yield the addresses and routes of a device that is there, whoever set them."""
    names = {kernel.index(device): device}
    yield from (address for address, _ in _addresses(kernel, names))
    found = (route for route, _ in _routes(kernel, names, {}))
    yield from (route for route in found if isinstance(route, Route))


def _addresses(kernel: Netlink, names: dict[int, str]) -> Iterator[tuple[Address, bool]]:
    """Yield addresses, each with whether it carries our mark."""
    asked = _ADDRESS.pack(AF_INET, 0, 0, 0, 0)
    for header, has in kernel.dump(ADDRESS + GET, asked, _ADDRESS.size):
        _, length, _, _, index = _ADDRESS.unpack(header)
        if index in names:
            address = as_ipv4(has.get(IFA_LOCAL) or has.get(IFA_ADDRESS))
            broadcast = as_ipv4(has.get(IFA_BROADCAST))
            resource = Address(kernel.namespace, names[index], f"{address}/{length}", broadcast)
            yield resource, as_text(has.get(IFA_LABEL, b"")) == resource.label


def _routes(
    kernel: Netlink, names: dict[int, str], wanted: Mapping[Key, Resource], which: bytes = b""
) -> Iterator[tuple[Route | KernelRoute, bool]]:
    """Yield routes, each with whether it carries our mark; of the kernel's own, those wanted."""
    asked = _ROUTE.pack(AF_INET, *bytes(7), 0) + which
    for header, has in kernel.dump(ROUTE + GET, asked, _ROUTE.size):
        _, length, _, _, _, protocol, _, type, _ = _ROUTE.unpack(header)
        device = names.get(as_number(has[RTA_OIF])) if RTA_OIF in has else None
        if device is None:
            continue
        table, prefix = as_number(has[RTA_TABLE]), as_ipv4(has.get(RTA_DST))
        destination = f"{prefix}/{length}" if prefix else "default"
        if protocol == RTPROT_KERNEL:
            source = as_ipv4(has.get(RTA_PREFSRC))
            key = (KernelRoute.kind, kernel.namespace, table, destination, device, source)
            if type == TYPES.get(table) and isinstance(resource := wanted.get(key), KernelRoute):
                yield resource, False
        elif type == RTN_UNICAST and table != LOCAL_TABLE:
            via, source = as_ipv4(has.get(RTA_GATEWAY)), as_ipv4(has.get(RTA_PREFSRC))
            route = Route(kernel.namespace, table, destination, via, device, source=source)
            yield route, protocol == RTPROT_STATIC


def _rules(kernel: Netlink) -> Iterator[Rule | KernelRule]:
    asked = _RULE.pack(AF_INET, *bytes(7), 0)
    for header, has in kernel.dump(RULE + GET, asked, _RULE.size):
        _, _, length, *_ = _RULE.unpack(header)
        priority = as_number(has[FRA_PRIORITY]) if FRA_PRIORITY in has else 0
        table = as_number(has[FRA_TABLE])
        address = as_ipv4(has.get(FRA_SRC))
        iif = as_text(has[FRA_IIFNAME]) if FRA_IIFNAME in has else None
        if (priority, table) in KERNEL_RULES and address is None and iif is None:
            # One that is for some packets only is another's, and no kernel's.
            if _RULE_FOR_ALL.issuperset(has) and has.get(FRA_SUPPRESS, _NONE) == _NONE:
                yield KernelRule(kernel.namespace, priority, table)
        else:
            source = f"{address}/{length}" if address else None
            yield Rule(kernel.namespace, priority, table, source, iif)


def _neighbours(kernel: Netlink, names: dict[int, str]) -> Iterator[Neighbour | ProxyNeighbour]:
    for flags in (0, NTF_PROXY):
        asked = _NEIGHBOUR.pack(AF_INET, 0, 0, flags, 0)
        for header, has in kernel.dump(NEIGHBOUR + GET, asked, _NEIGHBOUR.size):
            _, index, state, _, _ = _NEIGHBOUR.unpack(header)
            ip = as_ipv4(has.get(NDA_DST))
            if index in names and ip and flags:
                yield ProxyNeighbour(kernel.namespace, names[index], ip)
            elif index in names and ip and state == NUD_PERMANENT and NDA_LLADDR in has:
                yield Neighbour(kernel.namespace, names[index], ip, has[NDA_LLADDR].hex(":"))


def make(resources: Sequence[RoutingResource]) -> None:
    """Make resources, namespace by namespace."""
    for namespace, group in by_namespace(resources):
        with netlink(namespace) as kernel:
            kernel.ask((_made(kernel, resource) for resource in group), REFUSED_BECAUSE_THERE)


def unmake(resources: Sequence[RoutingResource]) -> None:
    """Unmake resources, namespace by namespace."""
    for namespace, group in by_namespace(resources):
        if exists(namespace):
            with netlink(namespace) as kernel:
                there = [
                    f for f in group if isinstance(f, Rule | KernelRule) or kernel.link(f.device)
                ]
                kernel.ask((_request(kernel, resource, DELETE) for resource in there), GONE)


def _made(kernel: Netlink, resource: RoutingResource) -> Request:
    if isinstance(resource, KernelRoute):
        # As the kernel does: beside a route of an instance's own to the same subnet.
        return _request(kernel, resource, NEW, CREATE | APPEND)
    replaced = isinstance(resource, (Route, Neighbour))
    return _request(kernel, resource, NEW, CREATE | (REPLACE if replaced else EXCLUSIVE))


def _request(kernel: Netlink, resource: RoutingResource, verb: int, flags: int = 0) -> Request:
    match resource:
        case Address():
            object, body = ADDRESS, _address(kernel, resource)
        case Route():
            object, body = ROUTE, _route(kernel, resource, verb)
        case KernelRoute():
            object, body = ROUTE, _kernel_route(kernel, resource)
        case Rule():
            object, body = RULE, _rule(resource, verb)
        case KernelRule():
            object, body = RULE, _kernel_rule(resource)
        case Neighbour():
            object, body = (
                NEIGHBOUR,
                _neighbour(kernel, resource, 0) + mac(NDA_LLADDR, resource.mac),
            )
        case ProxyNeighbour():
            object, body = NEIGHBOUR, _neighbour(kernel, resource, NTF_PROXY)
    return Request(resource, object + verb, flags, body)


def _address(kernel: Netlink, resource: Address) -> bytes:
    ip, _, length = resource.address.partition("/")
    body = _ADDRESS.pack(AF_INET, int(length), 0, 0, kernel.index(resource.device))
    body += ipv4(IFA_LOCAL, ip) + ipv4(IFA_ADDRESS, ip)
    if resource.label:
        body += text(IFA_LABEL, resource.label)
    return body + ipv4(IFA_BROADCAST, resource.broadcast) if resource.broadcast else body


def _route(kernel: Netlink, resource: Route, verb: int) -> bytes:
    scope = RT_SCOPE_UNIVERSE if resource.via else RT_SCOPE_LINK
    protocol = RTPROT_STATIC if resource.marked else RTPROT_BOOT
    if verb == DELETE and not resource.marked:
        scope, protocol = RT_SCOPE_NOWHERE, RTPROT_UNSPEC
    body = _way(kernel, resource, protocol, scope, RTN_UNICAST)
    if resource.source:
        body += ipv4(RTA_PREFSRC, resource.source)
    return body + ipv4(RTA_GATEWAY, resource.via) if resource.via else body


def _kernel_route(kernel: Netlink, resource: KernelRoute) -> bytes:
    scope = RT_SCOPE_HOST if resource.is_local else RT_SCOPE_LINK
    body = _way(kernel, resource, RTPROT_KERNEL, scope, TYPES[resource.table])
    return body + ipv4(RTA_PREFSRC, resource.source)


def _way(
    kernel: Netlink, resource: Route | KernelRoute, protocol: int, scope: int, type: int
) -> bytes:
    prefix, _, length = resource.destination.partition("/")
    bits = int(length) if length else 0
    body = _ROUTE.pack(AF_INET, bits, 0, 0, 0, protocol, scope, type, 0)
    body += number(RTA_TABLE, resource.table) + number(RTA_OIF, kernel.index(resource.device))
    return body + ipv4(RTA_DST, prefix) if length else body


def _rule(resource: Rule, verb: int) -> bytes:
    # One of others that is to go may do anything, blackhole or goto, and not lead to a table.
    action = FR_ACT_UNSPECIFIED if verb == DELETE else FR_ACT_TO_TABLE
    source, _, length = (resource.source or "").partition("/")
    bits = int(length or 32) if source else 0
    body = _RULE.pack(AF_INET, 0, bits, 0, 0, 0, 0, action, 0)
    body += number(FRA_TABLE, resource.table) + number(FRA_PRIORITY, resource.priority)
    if source:
        body += ipv4(FRA_SRC, source)
    return body + text(FRA_IIFNAME, resource.iif) if resource.iif else body


def _kernel_rule(resource: KernelRule) -> bytes:
    body = _RULE.pack(AF_INET, *bytes(6), FR_ACT_TO_TABLE, 0)
    body += number(FRA_TABLE, resource.table) + number(FRA_PRIORITY, resource.priority)
    return body + attribute(FRA_PROTOCOL, bytes([RTPROT_KERNEL]))


def _neighbour(kernel: Netlink, resource: Neighbour | ProxyNeighbour, flags: int) -> bytes:
    index = kernel.index(resource.device)
    return _NEIGHBOUR.pack(AF_INET, index, NUD_PERMANENT, flags, 0) + ipv4(NDA_DST, resource.ip)
