"""Asks a kernel for its own decisions about a packet in one namespace, and compares them with the
steps of a hop: devices, `ip route get`, `ip neigh`, ip_forward and iptables.

A neighbour that the kernel has learned counts only if it is another one: a trace begins with a
kernel that knows none.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dvr_ryu.companion.resources.namespace import ROOT, instance_of
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.trace.hops import Hop
from dvr_ryu.trace.host import TracedHost
from dvr_ryu.trace.kernel.addresses import ip_text, mac_text
from dvr_ryu.trace.kernel.host import UNDERLAY
from dvr_ryu.trace.kernel.outcome import Kind, Step
from dvr_ryu.trace.kernel.setup.routes import LOOPBACK, Found, Type
from dvr_ryu.trace.live.asking import Node

Departures = Iterator[tuple[int, str]]


def departures(hop: Hop, leaving: Packet | None, host: TracedHost, node: Node) -> Departures:
    """The number of each step where a kernel departs from a hop, and what it does instead.

    `leaving` is the packet as it leaves the namespace; None if it ends here. Raises Unanswered.
    """
    yield from ((0, text) for text in _devices(hop, host, node))
    route = _number(hop, Kind.ROUTE)
    if not hop.packet.is_arp:
        found = _route(hop, leaving, host)
        yield from ((route, text) for text in _other_route(hop, leaving, found, node))
        if found is not None and leaving is not None:
            neighbour = _number(hop, Kind.NEIGHBOUR)
            for text in _other_neighbour(leaving, found, host, node):
                yield neighbour, text
            if hop.port is not None and node.text("cat /proc/sys/net/ipv4/ip_forward") != "1\n":
                yield route, "net.ipv4.ip_forward is 0: this kernel forwards nothing"
    netfilter = _number(hop, Kind.NETFILTER, Kind.CONNECTION)
    for text in _other_chains(host, node, is_translated=_has_netfilter(hop)):
        yield netfilter, text


def _number(hop: Hop, *kinds: Kind) -> int:
    """The number of the last step of such a kind; of the last step, if there is none."""
    numbers = [
        number
        for number, step in enumerate(hop.steps)
        if isinstance(step, Step) and step.kind in kinds
    ]
    return numbers[-1] if numbers else max(0, len(hop.steps) - 1)


def _devices(hop: Hop, host: TracedHost, node: Node) -> Iterator[str]:
    """The devices of the way that are missing, down, or have another MTU or MAC."""
    known = host.kernel.namespace(hop.node).devices
    names = dict.fromkeys([*([hop.port] if hop.port else []), *(each.port for each in hop.outputs)])
    for name in names:
        if name in known and name != UNDERLAY:
            wanted = known[name]
            real = next(iter(node.objects(f"ip -j link show dev {name}")), None)
            if real is None:
                yield f"there is no device {name}"
            elif "UP" not in real["flags"]:
                yield f"{name} is down"
            elif real["mtu"] != wanted.mtu:
                yield f"the MTU of {name} is {real['mtu']}, not {wanted.mtu}"
            elif real["address"] != mac_text(wanted.mac):
                yield f"the MAC of {name} is {real['address']}, not {mac_text(wanted.mac)}"


def _route(hop: Hop, leaving: Packet | None, host: TracedHost) -> Found | None:
    """The route that the value says, of a packet after DNAT and before SNAT; None without one."""
    source = ip_text(hop.packet["nw_src"])
    return host.kernel.route(hop.node, _destination(hop, leaving), source, hop.port or LOOPBACK)


def _destination(hop: Hop, leaving: Packet | None) -> str:
    if leaving is not None:
        return ip_text(leaving["nw_dst"])
    delivered = [each.packet for each in hop.delivered]
    return ip_text((delivered or [hop.packet])[0]["nw_dst"])


def _other_route(
    hop: Hop, leaving: Packet | None, wanted: Found | None, node: Node
) -> Iterator[str]:
    if hop.port == UNDERLAY:
        return  # the device has another name on a real host
    command = f"ip -j route get {_destination(hop, leaving)} from {ip_text(hop.packet['nw_src'])}"
    command += f" iif {hop.port}" if hop.port else ""
    answer = node.run(command)
    if answer.failed:
        if wanted is not None:
            yield f"{command}: {answer.errors.strip()}"
        return
    (real, *_) = node.parsed(command, answer)
    if not _is_route(real, wanted):
        yield f"{command}: {_written(real)}"


def _is_route(real: dict[str, Any], wanted: Found | None) -> bool:
    """Whether a route that a kernel has chosen is the value's."""
    if wanted is None:
        return False
    route, is_local = wanted.route, real.get("type") == "local"
    if is_local or route.type is Type.LOCAL:
        return is_local and route.type is Type.LOCAL
    via = None if route.via is None else ip_text(route.via)
    return route.device == UNDERLAY or (
        (real.get("dev"), real.get("gateway")) == (route.device, via)
    )


def _written(route: dict[str, Any]) -> str:
    type = f"{route['type']} " if "type" in route else ""
    via = f" via {route['gateway']}" if "gateway" in route else ""
    return f"{type}{route.get('dst', '')}{via} dev {route.get('dev', '')}"


def _other_neighbour(leaving: Packet, wanted: Found, host: TracedHost, node: Node) -> Iterator[str]:
    route = wanted.route
    if route.type is not Type.UNICAST or route.device == UNDERLAY:
        return
    next_hop = leaving["nw_dst"] if route.via is None else route.via
    permanent = host.kernel.namespace(node.namespace).neighbours.get((route.device, next_hop))
    command = f"ip -j neigh show to {ip_text(next_hop)} dev {route.device}"
    real = next(iter(node.objects(command)), {})
    lladdr = real.get("lladdr")
    if lladdr is None and permanent is not None:
        yield f"ip neigh: {ip_text(next_hop)} dev {route.device} is not known here"
    elif lladdr is not None and lladdr != mac_text(leaving["dl_dst"]):
        yield f"ip neigh: {ip_text(next_hop)} dev {route.device} lladdr {lladdr}"


def _has_netfilter(hop: Hop) -> bool:
    """Whether a rule or a connection changed the packet."""
    kinds = (Kind.NETFILTER, Kind.CONNECTION)
    return any(isinstance(step, Step) and step.kind in kinds for step in hop.steps)


def _other_chains(host: TracedHost, node: Node, *, is_translated: bool) -> Iterator[str]:
    """Rules of iptables that the value does not have; of those that it has, the missing ones, if
    some of them changed the packet.
    """
    wanted: dict[tuple[str, str], tuple[str, ...]] = {
        (each.table, each.name): each.rules
        for each in host.resources
        if isinstance(each, Chain) and each.namespace == node.namespace
    }
    # The host's own namespace has its owner's rules, too. A guest's are its own.
    has_others = node.namespace == ROOT or instance_of(node.namespace) in host.guests
    tables = [] if has_others else ["filter", *(table for table, _ in wanted)]
    for table in dict.fromkeys(tables):
        real = [_appended(line) for line in node.text(f"iptables -t {table} -S").splitlines()]
        found = {(table, *rule) for rule in real if rule is not None}
        known = {(table, name, rule) for (of, name), its in wanted.items() if of == table
                 for rule in its}  # fmt: skip
        for _, name, rule in sorted(found - known):
            yield f"iptables -t {table}: another rule: {name} {rule}"
        if is_translated:
            for _, name, rule in sorted(known - found):
                yield f"iptables -t {table}: no rule {name} {rule}"


def _appended(line: str) -> tuple[str, str] | None:
    """The chain and the rule of a line of `iptables -S`; None for a line that is no rule."""
    command, _, rest = line.partition(" ")
    name, _, rule = rest.partition(" ")
    return (name, rule) if command == "-A" else None
