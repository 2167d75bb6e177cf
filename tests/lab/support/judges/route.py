"""Compares computed routes, rules and neighbours with iproute2's answers in the real kernel."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from dvr_ryu.trace.kernel import routing
from dvr_ryu.trace.kernel.addresses import ip_number, ip_text, is_loopback, is_multicast, mac_text
from dvr_ryu.trace.kernel.host import HostKernel
from dvr_ryu.trace.kernel.outcome import Why
from dvr_ryu.trace.kernel.setup.namespace import NetworkNamespace
from dvr_ryu.trace.kernel.setup.routes import LOOPBACK, Type
from tests.lab.support.real_host import RealHost

QUESTIONS = 60
"""So many routes are asked for in each namespace."""
_ERRORS = {
    "Network is unreachable": Why.NO_ROUTE,
    "No route to host": Why.NO_FORWARDING,
    "Invalid argument": Why.MARTIAN,
    "Invalid cross-device link": Why.MARTIAN,
}


def route_differences(
    real: RealHost, kernel: HostKernel, addresses: Sequence[int], random: Random
) -> Iterator[str]:
    """Every difference in the rules, permanent neighbours and routes of all namespaces."""
    for name in kernel.namespaces:
        net = kernel.namespace(name)
        yield from _rule_differences(net)
        yield from _neighbour_differences(net)
        for _ in range(QUESTIONS):
            yield from _route_difference(net, addresses, random)


def _ip(namespace: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    into = ["-n", namespace] if namespace else []
    return subprocess.run(
        ["ip", "-4", *into, *arguments], capture_output=True, text=True, check=False
    )


def _rule_differences(net: NetworkNamespace) -> Iterator[str]:
    listed = _ip(net.name, "rule").stdout.replace(":\t", ": ").splitlines()
    there = [" ".join(line.split()) for line in listed]
    computed = [str(rule) for rule in net.tables.rules]
    if sorted(there) != sorted(computed):
        yield f"{net.name}: ip rule: computed {computed}, real {there}"


def _neighbour_differences(net: NetworkNamespace) -> Iterator[str]:
    listed = json.loads(_ip(net.name, "-j", "neigh", "show", "nud", "permanent").stdout or "[]")
    there = {(each["dev"], each["dst"]): each["lladdr"] for each in listed}
    computed = {(dev, ip_text(ip)): mac_text(mac) for (dev, ip), mac in net.neighbours.items()}
    if there != computed:
        yield f"{net.name}: ip neigh: computed {computed}, real {there}"
    proxies = json.loads(_ip(net.name, "-j", "neigh", "show", "proxy").stdout or "[]")
    if {(each["dev"], ip_number(each["dst"])) for each in proxies} != net.proxies:
        yield f"{net.name}: ip neigh show proxy: computed {net.proxies}, real {proxies}"


def _route_difference(
    net: NetworkNamespace, addresses: Sequence[int], random: Random
) -> Iterator[str]:
    destination, source = random.choice(addresses), random.choice(addresses)
    if any(map(is_multicast, (destination, source))) or destination >> 24 in (0, 255):
        return
    device = random.choice([LOOPBACK, LOOPBACK, *net.devices])
    if device == LOOPBACK:
        source = random.choice([0, *(each.ip for each in net.addresses if each.device != LOOPBACK)])
    elif not source or is_loopback(destination):
        return
    options = ["from", ip_text(source)] if source else []
    options += ["iif", device] if device != LOOPBACK else []
    answer = _ip(net.name, "-j", "route", "get", ip_text(destination), *options)
    there = _answered(answer)
    computed = _sent(net, destination, source) if device == LOOPBACK else _received(
        net, destination, source, device
    )  # fmt: skip
    if there != computed:
        command = " ".join(["ip route get", ip_text(destination), *options])
        yield f"{net.name}: {command}: computed {computed}, real {there}"


def _answered(answer: subprocess.CompletedProcess[str]) -> Any:
    """The type, next hop, device and source of a route; or why there is none."""
    for text, why in _ERRORS.items():
        if text in answer.stderr:
            return why.name
    (route,) = json.loads(answer.stdout)
    return [
        route.get("type", "unicast"), route.get("gateway"), route["dev"], route.get("prefsrc"),
    ]  # fmt: skip


def _sent(net: NetworkNamespace, destination: int, source: int) -> Any:
    found = net.tables.look_up(destination, source)
    if found is None:
        return Why.NO_ROUTE.name
    route = found.route
    own = route.source or net.source_for(route.device, route.via or 0)
    if route.type is Type.LOCAL:
        own = route.source or destination
    via = None if route.via is None else ip_text(route.via)
    device = LOOPBACK if route.type is Type.LOCAL else route.device
    return [route.type.value, via, device, None if source else ip_text(own)]


def _received(net: NetworkNamespace, destination: int, source: int, device: str) -> Any:
    decision = routing.decide(net, destination, source, device)
    if decision.why is Why.REVERSE_PATH:
        return Why.MARTIAN.name  # kernels since 6.15 answer the same to both
    if decision.why is not None:
        return decision.why.name
    assert decision.found is not None
    route = decision.found.route
    via = None if route.via is None else ip_text(route.via)
    if route.type is Type.UNICAST:
        return [route.type.value, via, route.device, None]
    return [route.type.value, None, LOOPBACK, None]
