"""The route of a packet that a device received, and the checks of its source (rp_filter). Pure.

It is the kernel's ip_route_input; ARP asks it, too. `output` looks up the namespace's own packets.
"""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.trace.kernel.addresses import LIMITED_BROADCAST, ip_text, is_loopback, is_multicast
from dvr_ryu.trace.kernel.outcome import Kind, Why
from dvr_ryu.trace.kernel.setup.namespace import NetworkNamespace
from dvr_ryu.trace.kernel.setup.routes import LOOPBACK, Found, Type, table_name
from dvr_ryu.trace.kernel.visit import Visit

_ALL_HOSTS = 0xE0000001
_STRICT = 1


@frozen
class Decision:
    """What the kernel decides about a received packet: the route, or why there is none."""

    found: Found | None = None
    to_all: bool = False
    """Whether its destination is a broadcast or multicast address of this namespace."""
    why: Why | None = None
    text: str = ""
    from_link: bool = False
    """Whether the device leads to the source without a router."""

    @property
    def is_local(self) -> bool:
        """Whether the packet is for the namespace itself."""
        found = self.found
        return self.to_all or (found is not None and found.route.type is Type.LOCAL)


def decide(net: NetworkNamespace, destination: int, source: int, device: str) -> Decision:
    """The route of a packet that enters by a device."""
    wrong = _impossible(destination, source, device)
    if wrong is not None:
        return Decision(why=Why.MARTIAN, text=wrong)
    if is_multicast(destination):
        return Decision(to_all=True) if destination == _ALL_HOSTS else _NOBODYS
    if destination == LIMITED_BROADCAST:
        return Decision(to_all=True)
    found = net.tables.look_up(destination, source, device)
    if found is None:
        if not net.sysctls.forwards:
            return Decision(why=Why.NO_FORWARDING, text="no route, and the namespace is no router")
        text = f"no route to {ip_text(destination)}: Network is unreachable"
        return Decision(why=Why.NO_ROUTE, text=text)
    return _with_route(net, found, source, device)


_NOBODYS = Decision(why=Why.SILENT, text="nobody here has joined this multicast group")


def _impossible(destination: int, source: int, device: str) -> str | None:
    if is_multicast(source) or source == LIMITED_BROADCAST:
        return f"no machine sends from {ip_text(source)} (martian source)"
    if source >> 24 == 0 and destination != LIMITED_BROADCAST:
        return f"no machine sends from {ip_text(source)} (martian source)"
    if destination >> 24 == 0:
        return f"no machine has {ip_text(destination)} (martian destination)"
    if device != LOOPBACK and (is_loopback(source) or is_loopback(destination)):
        return "127.0.0.0/8 does not leave a machine (martian)"
    return None


def _with_route(net: NetworkNamespace, found: Found, source: int, device: str) -> Decision:
    route = found.route
    if route.type is Type.UNICAST and not net.sysctls.forwards:
        text = f"not for an address of this namespace, and net.ipv4.ip_forward is 0: {route}"
        return Decision(found, why=Why.NO_FORWARDING, text=text)
    out = None if route.type is not Type.UNICAST else route.device
    why, text, from_link = _source_check(net, source, device, out)
    if why is not None:
        return Decision(found, why=why, text=text)
    return Decision(found, route.type is Type.BROADCAST, from_link=from_link)


def _source_check(
    net: NetworkNamespace, source: int, device: str, out: str | None
) -> tuple[Why | None, str, bool]:
    """Whether a packet from `source` may enter by a device, as the kernel's fib_validate_source:
    why not, the text of that, and whether the source is on the device's own link.
    """
    if not source:
        return None, "", False
    strictness = net.sysctls.greatest("rp_filter", device)
    redirects = device == out and net.sysctls.either("send_redirects", device)
    own = f"{ip_text(source)} is an address of this namespace itself (martian source)"
    if not strictness and not redirects and not net.tables.has_own_rules:
        return (Why.MARTIAN, own, False) if net.has(source) else (None, "", False)
    back = net.tables.look_up(source, iif=out or LOOPBACK)
    if back is not None and back.route.type is not Type.UNICAST:
        return Why.MARTIAN, own, False
    if back is not None and back.route.device == device:
        return None, "", back.route.via is None
    reverse = f"rp_filter={strictness}: the way back to {ip_text(source)} "
    if back is None or not next(net.on(device), None):
        return (Why.REVERSE_PATH, reverse + "is unknown", False) if strictness else _PASSES
    if strictness == _STRICT:
        return Why.REVERSE_PATH, f"{reverse}is {back.route}, not {device}", False
    onto = net.tables.look_up(source, iif=out or LOOPBACK, oif=device)
    direct = onto is not None and onto.route.type is Type.UNICAST and onto.route.via is None
    return None, "", direct


_PASSES: tuple[Why | None, str, bool] = (None, "", False)


def note(visit: Visit, found: Found) -> None:
    """Note the rule and the route of a packet as steps."""
    visit.step(Kind.RULE, f"ip rule: {found.rule}")
    visit.step(Kind.ROUTE, f"ip route, table {table_name(found.rule.table)}: {found.route}")
