"""Addresses, routes, policy rules and neighbours, by netlink: one socket per namespace and call.

In a namespace of ours all of them are ours, save what the kernel adds of its own accord.
"""

from __future__ import annotations

import errno
import ipaddress
from collections.abc import Iterator, Sequence
from itertools import groupby
from socket import AF_INET
from typing import Any, TypeAlias

from dvr_ryu.companion.edges.namespaces import exists
from dvr_ryu.companion.edges.netlink import GONE, Netlink, netlink, refusals
from dvr_ryu.companion.facts.kinds import Address, Neighbour, ProxyNeighbour, Route, Rule

RoutingFact: TypeAlias = Address | Route | Rule | Neighbour | ProxyNeighbour

RTPROT_KERNEL, RTPROT_BOOT = 2, 3
"""What is added by hand has protocol `boot`, which `ip route` does not print."""
RT_TABLE_LOCAL = 255
RTN_UNICAST = 1
RT_SCOPE_UNIVERSE, RT_SCOPE_LINK = 0, 253
KERNEL_RULES = (0, 32766, 32767)
"""The priorities of the rules that every namespace starts with: local, main, default."""
NUD_PERMANENT = 0x80
NTF_PROXY = 0x08


def read(kernel: Netlink, devices: Sequence[str]) -> Iterator[RoutingFact]:
    """Yield what is on the named devices of a namespace, and its policy rules."""
    names = {kernel.index(device): device for device in devices if device != "lo"}
    yield from _addresses(kernel, names)
    if not kernel.namespace:
        return
    yield from _routes(kernel, names)
    yield from _rules(kernel)
    yield from _neighbours(kernel, names)


def _addresses(kernel: Netlink, names: dict[int, str]) -> Iterator[Address]:
    for each in kernel.request.get_addr(family=AF_INET):
        if each["index"] in names:
            address = f"{each.get('local') or each.get('address')}/{each['prefixlen']}"
            device = names[each["index"]]
            yield Address(kernel.namespace, device, address, each.get("broadcast"))


def _routes(kernel: Netlink, names: dict[int, str]) -> Iterator[Route]:
    for each in kernel.request.get_routes(family=AF_INET):
        table, device = each.get("table"), each.get("oif")
        ours = each["proto"] != RTPROT_KERNEL and each["type"] == RTN_UNICAST
        if ours and table != RT_TABLE_LOCAL and device in names:
            prefix = each.get("dst")
            destination = f"{prefix}/{each['dst_len']}" if prefix else "default"
            gateway = each.get("gateway")
            yield Route(kernel.namespace, table, destination, gateway, names[device])


def _rules(kernel: Netlink) -> Iterator[Rule]:
    for each in kernel.request.get_rules(family=AF_INET):
        priority = each.get("priority") or 0
        if priority not in KERNEL_RULES:
            source = each.get("src")
            if source is not None and each["src_len"] != 32:
                source = f"{source}/{each['src_len']}"
            iif = each.get("iifname")
            yield Rule(kernel.namespace, priority, each.get("table"), source, iif)


def _neighbours(kernel: Netlink, names: dict[int, str]) -> Iterator[Neighbour | ProxyNeighbour]:
    for each in kernel.request.get_neighbours(family=AF_INET):
        if each["ifindex"] in names and each["state"] == NUD_PERMANENT:
            device = names[each["ifindex"]]
            yield Neighbour(kernel.namespace, device, each.get("dst"), each.get("lladdr"))
    # With a dump_filter, the other words go into the request instead of filtering the answer.
    proxies = {"dump_filter": None, "family": AF_INET, "flags": NTF_PROXY}
    for each in kernel.request.neigh("dump", **proxies):
        if each["ifindex"] in names:
            yield ProxyNeighbour(kernel.namespace, names[each["ifindex"]], each.get("dst"))


def make(facts: Sequence[RoutingFact]) -> None:
    """Make facts, namespace by namespace."""
    for namespace, group in _by_namespace(facts):
        with netlink(namespace) as kernel:
            for fact in group:
                with refusals(fact, (errno.EEXIST,)):
                    _make(kernel, fact)


def unmake(facts: Sequence[RoutingFact]) -> None:
    """Unmake facts, namespace by namespace."""
    for namespace, group in _by_namespace(facts):
        if exists(namespace):
            with netlink(namespace) as kernel:
                for fact in group:
                    if isinstance(fact, Rule) or fact.device in kernel.links:
                        with refusals(fact, GONE):
                            _unmake(kernel, fact)


def _by_namespace(facts: Sequence[RoutingFact]) -> Iterator[tuple[str, Iterator[RoutingFact]]]:
    return groupby(sorted(facts, key=_place), key=_place)


def _place(fact: RoutingFact) -> str:
    return fact.namespace


def _make(kernel: Netlink, fact: RoutingFact) -> None:
    match fact:
        case Address():
            kernel.request.addr("add", **_address_words(kernel, fact))
        case Route():
            kernel.request.route("replace", **_route_words(kernel, fact))
        case Rule():
            kernel.request.rule("add", **_rule_words(fact))
        case Neighbour():
            words = _neighbour_words(kernel, fact)
            kernel.request.neigh("replace", lladdr=fact.mac, state=NUD_PERMANENT, **words)
        case ProxyNeighbour():
            kernel.request.neigh("add", flags=NTF_PROXY, **_neighbour_words(kernel, fact))


def _unmake(kernel: Netlink, fact: RoutingFact) -> None:
    match fact:
        case Address():
            kernel.request.addr("del", **_address_words(kernel, fact))
        case Route():
            kernel.request.route("del", **_route_words(kernel, fact))
        case Rule():
            kernel.request.rule("del", **_rule_words(fact))
        case Neighbour():
            kernel.request.neigh("del", **_neighbour_words(kernel, fact))
        case ProxyNeighbour():
            kernel.request.neigh("del", flags=NTF_PROXY, **_neighbour_words(kernel, fact))


def _address_words(kernel: Netlink, fact: Address) -> dict[str, Any]:
    address = ipaddress.ip_interface(fact.address)
    words = {
        "index": kernel.index(fact.device),
        "address": str(address.ip),
        "prefixlen": address.network.prefixlen,
    }
    return {**words, "broadcast": fact.broadcast} if fact.broadcast else words


def _route_words(kernel: Netlink, fact: Route) -> dict[str, Any]:
    words = {
        "dst": fact.destination,
        "oif": kernel.index(fact.device),
        "table": fact.table,
        "proto": RTPROT_BOOT,
        "scope": RT_SCOPE_UNIVERSE if fact.via else RT_SCOPE_LINK,
    }
    return {**words, "gateway": fact.via} if fact.via else words


def _rule_words(fact: Rule) -> dict[str, Any]:
    words: dict[str, Any] = {"table": fact.table, "priority": fact.priority, "family": AF_INET}
    if fact.source:
        words["src"] = fact.source if "/" in fact.source else f"{fact.source}/32"
    if fact.iif:
        words["iifname"] = fact.iif
    return words


def _neighbour_words(kernel: Netlink, fact: Neighbour | ProxyNeighbour) -> dict[str, Any]:
    return {"dst": fact.ip, "ifindex": kernel.index(fact.device), "family": AF_INET}
