"""What leaves a namespace: packets of its own, and those that it forwards. Pure.

Route, netfilter, MTU and neighbour come in the kernel's order. A packet of the namespace to itself
comes back from here, for `local` to take.
"""

from __future__ import annotations

from dvr_ryu.pipeline.language.fields import IP
from dvr_ryu.pipeline.run.packet import TCP, Packet
from dvr_ryu.trace.kernel import fragments, neighbours, routing
from dvr_ryu.trace.kernel.addresses import LIMITED_BROADCAST, ip_text, is_loopback, is_multicast
from dvr_ryu.trace.kernel.netfilter import hooks
from dvr_ryu.trace.kernel.netfilter.conntrack import Tracking, tuple_of
from dvr_ryu.trace.kernel.outcome import Kind, Purpose, Why
from dvr_ryu.trace.kernel.request import Request
from dvr_ryu.trace.kernel.setup.routes import LOOPBACK, Found, Route, Type
from dvr_ryu.trace.kernel.visit import Skb, Visit


def send(visit: Visit, request: Request, tracking: Tracking | None = None) -> Skb | None:
    """Send what a program or the kernel asks for; return it if it is for the namespace itself.
    `tracking` is that of an ICMP error, by the packet that it is about.
    """
    packet = request.packet
    source, destination = packet["nw_src"], packet["nw_dst"]
    net = visit.net
    if source and not net.has(source):
        error = "sendmsg: Network is unreachable"  # only raw frames may have such a source
        if not net.sysctls.nonlocal_bind:
            error = "bind: Cannot assign requested address"
        text = f"{error}: {ip_text(source)} is not an address of this namespace"
        visit.drop(Kind.LOCAL, packet, Why.SOURCE, text)
        return None
    found = _found(visit, packet, request.device)
    if found is None:
        return None
    packet = packet.having(
        dl_type=IP,
        nw_src=source or _source(visit, found.route, destination),
        nw_df=1 if request.dont_fragment else None,
    )
    mtu = _mtu(visit, found.route, destination)
    if request.dont_fragment and packet.size > mtu:
        visit.drop(Kind.LOCAL, packet, Why.MTU, _too_long(packet, mtu))
        return None
    if packet["nw_proto"] == TCP and visit.purpose is Purpose.PASSAGE:
        answers = tuple_of(packet).inverse
        visit.learn(sockets=visit.state.sockets | {answers})
    skb = Skb(packet, None)
    skb.tracking = tracking
    return _leave(visit, skb, found, request.device)


def _found(visit: Visit, packet: Packet, oif: str | None) -> Found | None:
    """The route of a packet of the namespace's own, as a step; None ends the packet."""
    source, destination = packet["nw_src"], packet["nw_dst"]
    found = visit.net.tables.look_up(destination, source, oif=oif)
    if found is None:
        text = f"sendmsg: Network is unreachable: no route to {ip_text(destination)}"
        visit.drop(Kind.ROUTE, packet, Why.NO_ROUTE, text)
        return None
    if is_loopback(source) and found.route.type is not Type.LOCAL:
        text = f"sendmsg: Invalid argument: {ip_text(source)} does not leave a machine"
        visit.drop(Kind.ROUTE, packet, Why.MARTIAN, text)
        return None
    routing.note(visit, found)
    return found


def _too_long(packet: Packet, mtu: int) -> str:
    return f"sendmsg: Message too long, mtu={mtu}: the packet has {packet.size} bytes"


def _source(visit: Visit, route: Route, destination: int) -> int:
    """The source that the kernel chooses for a packet of the namespace's own."""
    if route.source is not None:
        return route.source
    if route.type is Type.LOCAL:
        return destination
    return visit.net.source_for(route.device, route.via or 0)


def _mtu(visit: Visit, route: Route, destination: int) -> int:
    device = LOOPBACK if route.type is Type.LOCAL else route.device
    mtu = visit.net.devices[device].mtu
    return min(mtu, visit.state.path_mtus.get(destination, mtu))


def _leave(visit: Visit, skb: Skb, found: Found, oif: str | None) -> Skb | None:
    """Pass the hooks of the namespace's own packets; NAT may lead them another way."""
    destination = skb["nw_dst"]
    if not hooks.local_out(visit, skb, _out(found.route)):
        return None
    if skb["nw_dst"] != destination:
        rerouted = _found(visit, skb.packet, oif)
        if rerouted is None:
            return None
        found = rerouted
    return pass_on(visit, skb, found.route)


def _out(route: Route) -> str:
    return LOOPBACK if route.type is Type.LOCAL else route.device


def pass_on(visit: Visit, skb: Skb, route: Route) -> Skb | None:
    """The last hook, then the neighbour; a packet for the namespace itself comes back on lo."""
    destination = skb["nw_dst"]
    if not hooks.postrouting(visit, skb, _out(route)):
        return None
    if route.type is Type.LOCAL:
        skb.in_device = LOOPBACK
        return skb
    if route.type is Type.BROADCAST:
        destination = LIMITED_BROADCAST
    mtu = visit.net.devices[route.device].mtu
    if skb.packet.size > mtu and skb["nw_df"]:  # NAT has led the namespace's own packet here
        visit.drop(Kind.LOCAL, skb.packet, Why.MTU, _too_long(skb.packet, mtu))
        return None
    if skb.packet.size > mtu:
        visit.step(Kind.FORWARD, f"cuts the packet into fragments for mtu {mtu} of {route.device}")
    is_direct = is_multicast(destination) or destination == LIMITED_BROADCAST
    next_hop = destination if route.via is None or is_direct else route.via
    for piece in fragments.cut(skb.packet, mtu):
        neighbours.send(visit, route.device, next_hop, piece)
    return None
