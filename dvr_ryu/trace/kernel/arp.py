"""ARP as a namespace receives it: its own addresses, proxies, and what it learns. Pure.

It follows the kernel's arp_process, with arp_ignore and proxy_arp.
"""

from __future__ import annotations

from dvr_ryu.pipeline.run.packet import ARP_REPLY, ARP_REQUEST, Packet
from dvr_ryu.trace.kernel import neighbours, routing
from dvr_ryu.trace.kernel.addresses import ip_text, is_loopback, is_multicast, mac_text
from dvr_ryu.trace.kernel.outcome import Kind, Purpose, Receiver, Why
from dvr_ryu.trace.kernel.setup.namespace import NetworkNamespace
from dvr_ryu.trace.kernel.setup.routes import Route, Type
from dvr_ryu.trace.kernel.visit import Skb, Visit


def receive(visit: Visit, device: str, packet: Packet) -> None:
    """Answer a request, or learn from any message."""
    asker, target = packet["arp_spa"], packet["arp_tpa"]
    is_request = packet["arp_op"] == ARP_REQUEST
    if packet["arp_op"] not in (ARP_REQUEST, ARP_REPLY) or is_multicast(target):
        visit.drop(Kind.ARP, packet, Why.UNKNOWN_PROTOCOL, "ARP: neither a question nor an answer")
    elif is_loopback(target):
        visit.drop(Kind.ARP, packet, Why.MARTIAN, "ARP: 127.0.0.0/8 does not leave a machine")
    elif is_request and not asker:
        _to_probe(visit, device, packet)
    elif not (is_request and _answered(visit, device, packet)):
        _update(visit, device, packet)


def _to_probe(visit: Visit, device: str, packet: Packet) -> None:
    """Answer a machine that asks whether an address is free."""
    target = packet["arp_tpa"]
    if visit.net.has(target) and not _ignores(visit.net, device, 0, target):
        _reply(visit, device, packet, "its own address")
    else:
        visit.drop(Kind.ARP, packet, Why.SILENT, f"ARP: {ip_text(target)} is not here")


def _answered(visit: Visit, device: str, packet: Packet) -> bool:
    """Answer a request; False if it asks for nothing here: then it may only tell of its sender."""
    net, asker, target = visit.net, packet["arp_spa"], packet["arp_tpa"]
    decision = routing.decide(net, target, asker, device)
    if decision.found is None or decision.why is not None:
        return False
    if decision.found.route.type is Type.LOCAL:
        if _ignores(net, device, asker, target):
            sysctl = f"arp_ignore={net.sysctls.greatest('arp_ignore', device)}"
            text = f"ARP: {device} does not answer for {ip_text(target)} ({sysctl})"
            visit.drop(Kind.ARP, packet, Why.SILENT, text)
        else:
            neighbours.learned(visit, device, asker, packet["arp_sha"])
            _reply(visit, device, packet, "its own address")
        return True
    if not _is_proxy(net, device, target, decision.found.route):
        return False
    neighbours.learned(visit, device, asker, packet["arp_sha"])
    _reply(visit, device, packet, f"a proxy neighbour, behind {decision.found.route}")
    return True


def _ignores(net: NetworkNamespace, device: str, asker: int, target: int) -> bool:
    """Whether arp_ignore forbids the answer for an address of the namespace's own."""
    match net.sysctls.greatest("arp_ignore", device):
        case 1:
            return all(each.ip != target for each in net.on(device))
        case 2:
            return all(each.ip != target or asker not in each.prefix for each in net.on(device))
        case 3:
            return all(each.ip != target for each in net.addresses)
        case 8:
            return True
    return False


def _is_proxy(net: NetworkNamespace, device: str, target: int, route: Route) -> bool:
    """Whether a namespace that routes answers for an address behind it."""
    if not net.sysctls.forwards or route.type is not Type.UNICAST or route.device == device:
        return False
    return (device, target) in net.proxies or net.sysctls.either("proxy_arp", device)


def _reply(visit: Visit, device: str, request: Packet, what: str) -> None:
    target = request["arp_tpa"]
    mac = visit.net.mac_of(device, target)
    text = f"ARP: {ip_text(target)} is {what}: answers that it is at {mac_text(mac)}"
    visit.step(Kind.ARP, text)
    with visit.acting(Purpose.ARP):
        visit.emit(device, request.reply(mac).having(dl_dst=request["arp_sha"]))


def _update(visit: Visit, device: str, packet: Packet) -> None:
    """Learn the sender's MAC if the namespace knows the sender, or has asked for it."""
    sender = packet["arp_spa"]
    is_waited_for = any((w.device, w.ip) == (device, sender) for w in visit.state.waiting)
    is_known = (device, sender) in visit.state.neighbours
    if is_known or is_waited_for:
        neighbours.learned(visit, device, sender, packet["arp_sha"])
        visit.deliver(Skb(packet, device), Receiver.KERNEL)
    else:
        text = f"ARP: nothing to answer, and {ip_text(sender)} is of no interest here"
        visit.drop(Kind.ARP, packet, Why.SILENT, text)
