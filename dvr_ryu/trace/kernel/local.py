"""Packets that are for a namespace itself: what takes them, and the kernel's own answers. Pure."""

from __future__ import annotations

from dvr_ryu.pipeline.run.packet import ECHO_REQUEST, ICMP, TCP, Packet
from dvr_ryu.trace.kernel import fragments, icmp, output
from dvr_ryu.trace.kernel.addresses import ip_text
from dvr_ryu.trace.kernel.netfilter import conntrack, hooks, tcp
from dvr_ryu.trace.kernel.netfilter.conntrack import Tracking
from dvr_ryu.trace.kernel.netfilter.iptables import PORTS
from dvr_ryu.trace.kernel.outcome import Kind, Purpose, Receiver, Why
from dvr_ryu.trace.kernel.request import Request
from dvr_ryu.trace.kernel.visit import Skb, Visit

_LEAST_MTU = 552
"""The kernel believes in no smaller one: net.ipv4.route.min_pmtu."""


def take(visit: Visit, skb: Skb) -> None:
    """Give a packet to the namespace itself."""
    whole = fragments.put_together(visit, skb.packet)
    if whole is None:
        visit.step(Kind.LOCAL, "a fragment waits for the rest of its packet")
        return
    skb.packet = whole
    if hooks.local_in(visit, skb):
        _deliver(visit, skb)


def send(visit: Visit, packet: Packet, tracking: Tracking | None = None) -> None:
    """Send a packet that the kernel itself makes as an answer. Only TCP's is never fragmented."""
    request = Request(packet, dont_fragment=packet["nw_proto"] == TCP)
    with visit.acting(Purpose.ANSWER):
        back = output.send(visit, request, tracking)
        if back is not None:
            take(visit, back)


def complain(visit: Visit, skb: Skb, type: int, code: int, mtu: int | None = None) -> None:
    """Send an ICMP error about a packet to its sender, where that is allowed. About one that is for
    the namespace itself, it comes from the address that the packet was for.
    """
    if icmp.may_complain(skb.packet, skb.is_frame_to_all or skb.is_to_all):
        error = icmp.error(skb.packet, type, code, mtu)
        is_own = visit.net.has(skb["nw_dst"])
        if is_own:
            error = error.having(nw_src=skb["nw_dst"])
        send(visit, error, conntrack.of_error(skb.tracking))


def _deliver(visit: Visit, skb: Skb) -> None:
    protocol = skb["nw_proto"]
    if protocol == ICMP:
        _icmp(visit, skb)
    elif protocol not in PORTS:
        _refuse(visit, skb, f"protocol {protocol}", icmp.PROTOCOL)
    else:
        name = PORTS[protocol]
        port = skb[f"{name}_dst"]
        if _is_taken(visit, skb.packet, port):
            _note(visit, skb, f"{name.upper()} port {port}")
            visit.deliver(skb, Receiver.PROGRAM)
        else:
            _refuse(visit, skb, f"{name.upper()} port {port}", icmp.PORT)


def _is_taken(visit: Visit, packet: Packet, port: int) -> bool:
    """Whether a program takes a packet: by its port, and of TCP what goes on with a connection."""
    if packet["nw_proto"] != TCP:
        return visit.net.listens(packet["nw_proto"], port)
    direction = conntrack.tuple_of(packet)
    if packet["tcp_flags"] & tcp.SYN_ACK == tcp.SYN and visit.net.listens(TCP, port):
        visit.learn(sockets=visit.state.sockets | {direction})
    return direction in visit.state.sockets


def _icmp(visit: Visit, skb: Skb) -> None:
    if skb["icmp_type"] == ECHO_REQUEST and skb.is_to_all:
        text = "icmp_echo_ignore_broadcasts=1: no answer to a broadcast"
        visit.drop(Kind.LOCAL, skb.packet, Why.SILENT, text)
    elif skb["icmp_type"] == ECHO_REQUEST:
        _note(visit, skb, "an echo request")
        visit.deliver(skb, Receiver.ECHO)
        send(visit, icmp.echo_reply(skb.packet))
    elif conntrack.is_icmp_error(skb.packet):
        _note(visit, skb, "an ICMP error")
        _believe(visit, skb.packet)
        visit.deliver(skb, Receiver.ERROR)
    else:
        _note(visit, skb, "an echo reply" if not skb["icmp_type"] else "ICMP")
        visit.deliver(skb, Receiver.PROGRAM)


def _believe(visit: Visit, error: Packet) -> None:
    """Learn a path's MTU from "fragmentation needed"."""
    mtu, quoted = error.get("icmp_mtu"), error.quoted
    if mtu is not None and quoted is not None and visit.net.has(quoted["nw_src"]):
        known = {**visit.state.path_mtus, quoted["nw_dst"]: max(mtu, _LEAST_MTU)}
        visit.learn(path_mtus=known)
        text = f"ip route: {ip_text(quoted['nw_dst'])} has mtu {mtu} from now on"
        visit.step(Kind.ROUTE, text)


def _refuse(visit: Visit, skb: Skb, what: str, code: int) -> None:
    """Nobody listens: a RST, or an ICMP error; about what came to all, nothing."""
    if skb.is_to_all or skb.is_frame_to_all:
        text = f"local: {what}, to all: nobody listens"
        visit.drop(Kind.LOCAL, skb.packet, Why.SILENT, text)
        return
    is_later = skb["nw_proto"] == TCP and skb["tcp_flags"] & tcp.SYN_ACK != tcp.SYN
    why = "no program here has this connection" if is_later else "nobody listens"
    _note(visit, skb, f"{what}, but {why}")
    visit.deliver(skb, Receiver.NOBODY)
    if skb["nw_proto"] != TCP:
        complain(visit, skb, icmp.UNREACHABLE, code)
    elif not skb["tcp_flags"] & tcp.RST:
        send(visit, icmp.reset(skb.packet))


def _note(visit: Visit, skb: Skb, what: str) -> None:
    text = f"local: {ip_text(skb['nw_dst'])} is an address of this namespace: {what}"
    visit.step(Kind.LOCAL, text)
