"""A frame that a device of a namespace receives. Pure.

The MAC decides whether the namespace looks at it; then it is ARP, or a packet for the namespace
itself, or one to forward.
"""

from __future__ import annotations

from dvr_ryu.pipeline.language.fields import ARP, IP
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.trace.kernel import arp, fragments, icmp, local, output, routing
from dvr_ryu.trace.kernel.addresses import is_group, mac_text
from dvr_ryu.trace.kernel.netfilter import hooks
from dvr_ryu.trace.kernel.outcome import Kind, Why
from dvr_ryu.trace.kernel.routing import Decision
from dvr_ryu.trace.kernel.setup.namespace import Device
from dvr_ryu.trace.kernel.visit import Skb, Visit

_TAG = 4
"""A device takes so many bytes more than its MTU: they might be a VLAN tag."""
_FOR_HOST = 1
"""ICMP's code of a redirect for one destination."""


def receive(visit: Visit, name: str, packet: Packet) -> None:
    """Handle a frame that arrives at a device."""
    device = visit.net.devices[name]
    refusal = _refusal(device, packet)
    if refusal is not None:
        visit.drop(Kind.FRAME, packet, *refusal)
    elif packet["dl_type"] == ARP:
        arp.receive(visit, name, packet)
    else:
        _packet(visit, Skb(packet, name))


def _refusal(device: Device, packet: Packet) -> tuple[Why, str] | None:
    """Why a device does not take a frame, with a text."""
    if packet.size > device.mtu + _TAG:
        text = f"{packet.size} bytes are too long for {device.name} (mtu {device.mtu}): lost"
        return Why.TOO_LONG, text
    receiver = packet["dl_dst"]
    if not is_group(receiver) and receiver != device.mac and receiver not in device.virtual_macs:
        own = mac_text(device.mac)
        text = f"{device.name} has {own}: it ignores a frame for {mac_text(receiver)}"
        return Why.OTHER_HOST, text
    if packet.vlan is not None:
        return Why.UNKNOWN_PROTOCOL, f"{device.name} has no device for VLAN {packet.vlan}"
    if packet["dl_type"] not in (IP, ARP):
        return Why.UNKNOWN_PROTOCOL, f"only IPv4 is routed here, not {packet['dl_type']:#06x}"
    return None


def _packet(visit: Visit, skb: Skb) -> None:
    if visit.net.tracks:  # conntrack sees whole packets
        whole = fragments.put_together(visit, skb.packet)
        if whole is None:
            visit.step(Kind.CONNECTION, "a fragment waits for the rest of its packet")
            return
        skb.packet = whole
    if not hooks.prerouting(visit, skb):
        return
    assert skb.in_device is not None, "a device has received it"
    decision = routing.decide(visit.net, skb["nw_dst"], skb["nw_src"], skb.in_device)
    if decision.found is not None:
        routing.note(visit, decision.found)
    if decision.why is not None:
        _end(visit, skb, decision.why, decision.text)
    elif decision.is_local:
        skb.is_to_all = decision.to_all
        local.take(visit, skb)
    else:
        _forward(visit, skb, decision)


def _end(visit: Visit, skb: Skb, why: Why, text: str) -> None:
    visit.drop(Kind.ROUTE, skb.packet, why, text)
    if why is Why.NO_ROUTE:
        local.complain(visit, skb, icmp.UNREACHABLE, icmp.NET)


def _forward(visit: Visit, skb: Skb, decision: Decision) -> None:
    """Send a packet on, as ip_forward does."""
    assert decision.found is not None, "a packet is forwarded by a route"
    route, packet = decision.found.route, skb.packet
    if skb.is_frame_to_all:
        text = "a frame to all is not forwarded"
        visit.drop(Kind.FORWARD, packet, Why.SILENT, text)
        return
    if skb["nw_ttl"] <= 1:
        visit.drop(Kind.FORWARD, packet, Why.TTL, "the TTL has ended: Time to live exceeded")
        local.complain(visit, skb, icmp.TIME_EXCEEDED, 0)
        return
    mtu = visit.net.devices[route.device].mtu
    if packet.size > mtu and packet["nw_df"]:
        text = f"{packet.size} bytes are longer than mtu {mtu} of {route.device}: Frag needed"
        visit.drop(Kind.FORWARD, packet, Why.MTU, text)
        local.complain(visit, skb, icmp.UNREACHABLE, icmp.FRAGMENTATION_NEEDED, mtu)
        return
    skb.packet = packet.having(nw_ttl=packet["nw_ttl"] - 1)
    if _should_redirect(visit, skb, decision):
        local.complain(visit, skb, icmp.REDIRECT, _FOR_HOST)
    if hooks.forward(visit, skb, route.device):
        output.pass_on(visit, skb, route)


def _should_redirect(visit: Visit, skb: Skb, decision: Decision) -> bool:
    """Whether the sender could reach the next hop itself, and the namespace says so."""
    assert decision.found is not None
    device = skb.in_device or ""
    same = decision.found.route.device == device and decision.from_link
    return same and visit.net.sysctls.either("send_redirects", device)
