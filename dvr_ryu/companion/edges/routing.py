"""Addresses, routes, policy rules and neighbours, by netlink: one write per namespace and kind.

In a namespace of ours all of them are ours, save what the kernel adds of its own accord. In an
instance's, those are that carry our mark: a label, or the protocol `static`.
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Iterator, Sequence
from socket import AF_INET
from struct import Struct
from typing import TypeAlias

from dvr_ryu.companion.edges.namespaces import by_place, exists
from dvr_ryu.companion.edges.netlink import (
    CREATE,
    EXCLUSIVE,
    GONE,
    REPLACE,
    Netlink,
    Request,
    as_ipv4,
    as_number,
    as_text,
    ipv4,
    mac,
    netlink,
    number,
    text,
)
from dvr_ryu.companion.facts.kinds import (
    Address,
    Key,
    Neighbour,
    ProxyNeighbour,
    Route,
    Rule,
    in_instance,
)

RoutingFact: TypeAlias = Address | Route | Rule | Neighbour | ProxyNeighbour

# <linux/rtnetlink.h>, if_addr.h, fib_rules.h, neighbour.h: message numbers, fixed headers,
# attributes.
NEW, DELETE, GET = 0, 1, 2
"""What is added to the number of an object's first message."""
ADDRESS, ROUTE, NEIGHBOUR, RULE = 20, 24, 28, 32
_ADDRESS, _ROUTE, _NEIGHBOUR, _RULE = map(Struct, ("=BBBBI", "=8BI", "=BxxxiHBB", "=8BI"))
IFA_ADDRESS, IFA_LOCAL, IFA_LABEL, IFA_BROADCAST = 1, 2, 3, 4
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_TABLE = 1, 4, 5, 15
FRA_SRC, FRA_IIFNAME, FRA_PRIORITY, FRA_TABLE = 2, 3, 6, 15
NDA_DST, NDA_LLADDR = 1, 2

RTPROT_KERNEL, RTPROT_BOOT, RTPROT_STATIC = 2, 3, 4
"""What is added by hand has protocol `boot`, which `ip route` does not print."""
RT_TABLE_LOCAL = 255
RTN_UNICAST = 1
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK = 0, 253
FR_ACT_TO_TABLE = 1
KERNEL_RULES = (0, 32766, 32767)
"""The priorities of the rules that every namespace starts with: local, main, default."""
NUD_PERMANENT = 0x80
NTF_PROXY = 0x08
REFUSED_BECAUSE_THERE = (errno.EEXIST,)


def read(kernel: Netlink, devices: Sequence[str], wanted: Collection[Key]) -> Iterator[RoutingFact]:
    """Yield what is on the named devices of a namespace, and its policy rules.

    Of an instance, only what carries our mark, or is wanted: it may have come before the mark.
    """
    names = {kernel.index(device): device for device in devices if device != "lo"}
    if in_instance(kernel.namespace):
        found: list[tuple[Address | Route, bool]] = []
        found += [*_addresses(kernel, names), *_routes(kernel, names)]
        yield from (fact for fact, marked in found if marked or fact.key in wanted)
        return
    yield from (address for address, _ in _addresses(kernel, names))
    if not kernel.namespace:
        return
    yield from (route for route, _ in _routes(kernel, names))
    yield from _rules(kernel)
    yield from _neighbours(kernel, names)


def _addresses(kernel: Netlink, names: dict[int, str]) -> Iterator[tuple[Address, bool]]:
    """Yield addresses, each with whether it carries our mark."""
    asked = _ADDRESS.pack(AF_INET, 0, 0, 0, 0)
    for header, has in kernel.dump(ADDRESS + GET, asked, _ADDRESS.size):
        _, length, _, _, index = _ADDRESS.unpack(header)
        if index in names:
            address = as_ipv4(has.get(IFA_LOCAL) or has.get(IFA_ADDRESS))
            broadcast = as_ipv4(has.get(IFA_BROADCAST))
            fact = Address(kernel.namespace, names[index], f"{address}/{length}", broadcast)
            yield fact, as_text(has.get(IFA_LABEL, b"")) == fact.label


def _routes(kernel: Netlink, names: dict[int, str]) -> Iterator[tuple[Route, bool]]:
    """Yield routes, each with whether it carries our mark."""
    asked = _ROUTE.pack(AF_INET, *bytes(7), 0)
    for header, has in kernel.dump(ROUTE + GET, asked, _ROUTE.size):
        _, length, _, _, _, protocol, _, type, _ = _ROUTE.unpack(header)
        ours = protocol != RTPROT_KERNEL and type == RTN_UNICAST and RTA_OIF in has
        table = as_number(has[RTA_TABLE])
        if ours and table != RT_TABLE_LOCAL and (device := as_number(has[RTA_OIF])) in names:
            prefix = as_ipv4(has.get(RTA_DST))
            destination = f"{prefix}/{length}" if prefix else "default"
            via = as_ipv4(has.get(RTA_GATEWAY))
            fact = Route(kernel.namespace, table, destination, via, names[device])
            yield fact, protocol == RTPROT_STATIC


def _rules(kernel: Netlink) -> Iterator[Rule]:
    asked = _RULE.pack(AF_INET, *bytes(7), 0)
    for header, has in kernel.dump(RULE + GET, asked, _RULE.size):
        _, _, length, *_ = _RULE.unpack(header)
        priority = as_number(has[FRA_PRIORITY]) if FRA_PRIORITY in has else 0
        if priority not in KERNEL_RULES:
            address = as_ipv4(has.get(FRA_SRC))
            source = f"{address}/{length}" if address else None
            iif = as_text(has[FRA_IIFNAME]) if FRA_IIFNAME in has else None
            yield Rule(kernel.namespace, priority, as_number(has[FRA_TABLE]), source, iif)


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


def make(facts: Sequence[RoutingFact]) -> None:
    """Make facts, namespace by namespace."""
    for namespace, group in by_place(facts):
        with netlink(namespace) as kernel:
            kernel.ask((_made(kernel, fact) for fact in group), REFUSED_BECAUSE_THERE)


def unmake(facts: Sequence[RoutingFact]) -> None:
    """Unmake facts, namespace by namespace."""
    for namespace, group in by_place(facts):
        if exists(namespace):
            with netlink(namespace) as kernel:
                there = [f for f in group if isinstance(f, Rule) or kernel.link(f.device)]
                kernel.ask((_request(kernel, fact, DELETE) for fact in there), GONE)


def _made(kernel: Netlink, fact: RoutingFact) -> Request:
    replaced = isinstance(fact, (Route, Neighbour))
    return _request(kernel, fact, NEW, CREATE | (REPLACE if replaced else EXCLUSIVE))


def _request(kernel: Netlink, fact: RoutingFact, verb: int, flags: int = 0) -> Request:
    match fact:
        case Address():
            object, body = ADDRESS, _address(kernel, fact)
        case Route():
            object, body = ROUTE, _route(kernel, fact)
        case Rule():
            object, body = RULE, _rule(fact)
        case Neighbour():
            object, body = NEIGHBOUR, _neighbour(kernel, fact, 0) + mac(NDA_LLADDR, fact.mac)
        case ProxyNeighbour():
            object, body = NEIGHBOUR, _neighbour(kernel, fact, NTF_PROXY)
    return Request(fact, object + verb, flags, body)


def _address(kernel: Netlink, fact: Address) -> bytes:
    ip, _, length = fact.address.partition("/")
    body = _ADDRESS.pack(AF_INET, int(length), 0, 0, kernel.index(fact.device))
    body += ipv4(IFA_LOCAL, ip) + ipv4(IFA_ADDRESS, ip)
    if fact.label:
        body += text(IFA_LABEL, fact.label)
    return body + ipv4(IFA_BROADCAST, fact.broadcast) if fact.broadcast else body


def _route(kernel: Netlink, fact: Route) -> bytes:
    prefix, _, length = fact.destination.partition("/")
    scope = RT_SCOPE_UNIVERSE if fact.via else RT_SCOPE_LINK
    bits = int(length) if length else 0
    protocol = RTPROT_STATIC if fact.marked else RTPROT_BOOT
    body = _ROUTE.pack(AF_INET, bits, 0, 0, 0, protocol, scope, RTN_UNICAST, 0)
    body += number(RTA_TABLE, fact.table) + number(RTA_OIF, kernel.index(fact.device))
    if length:
        body += ipv4(RTA_DST, prefix)
    return body + ipv4(RTA_GATEWAY, fact.via) if fact.via else body


def _rule(fact: Rule) -> bytes:
    source, _, length = (fact.source or "").partition("/")
    bits = int(length or 32) if source else 0
    body = _RULE.pack(AF_INET, 0, bits, 0, 0, 0, 0, FR_ACT_TO_TABLE, 0)
    body += number(FRA_TABLE, fact.table) + number(FRA_PRIORITY, fact.priority)
    if source:
        body += ipv4(FRA_SRC, source)
    return body + text(FRA_IIFNAME, fact.iif) if fact.iif else body


def _neighbour(kernel: Netlink, fact: Neighbour | ProxyNeighbour, flags: int) -> bytes:
    index = kernel.index(fact.device)
    return _NEIGHBOUR.pack(AF_INET, index, NUD_PERMANENT, flags, 0) + ipv4(NDA_DST, fact.ip)
