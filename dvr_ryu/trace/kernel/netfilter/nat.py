"""Translation of addresses: iptables' table nat, and what connections retain of it. Pure.

The kernel chooses a port at random where a rule says --random-fully or where the packet's own is
taken; here the packet's own stays, or the next free one counts.
"""

from __future__ import annotations

from attrs import evolve

from dvr_ryu.pipeline.run.packet import ICMP, Packet
from dvr_ryu.trace.kernel.addresses import ip_text
from dvr_ryu.trace.kernel.icmp import REDIRECT
from dvr_ryu.trace.kernel.netfilter.conntrack import Status, Tracking
from dvr_ryu.trace.kernel.netfilter.iptables import PORTS, Nat
from dvr_ryu.trace.kernel.outcome import Kind
from dvr_ryu.trace.kernel.state import NamespaceState, Tuple
from dvr_ryu.trace.kernel.visit import Skb, Visit, changes

_LAST_PORT = (1 << 16) - 1
_FIRST_FREE = 1024


def bind(state: NamespaceState, tracking: Tracking, target: Nat | None, *, source: bool) -> None:
    """Decide which source or destination a new connection gets; None: its own, if that is free."""
    connection = tracking.connection
    assert connection is not None, "only a packet of a connection gets here"
    wanted = connection.translated
    if target is not None:
        wanted = _aimed(wanted, target)
    if source:
        wanted = _with_free_port(state, wanted)
        tracking.has_source = True
    else:
        tracking.has_destination = True
    tracking.connection = connection._replace(reply=wanted.inverse)


def _aimed(at: Tuple, target: Nat) -> Tuple:
    if target.is_source:
        port = _port(target, at.sport)
        return at._replace(src=target.ip, sport=port)
    return at._replace(dst=target.ip, dport=_port(target, at.dport))


def _port(target: Nat, own: int) -> int:
    if target.first is None or target.last is None:
        return own
    if target.base is not None:
        return target.first + own - target.base
    return own if target.first <= own <= target.last else target.first


def _with_free_port(state: NamespaceState, wanted: Tuple) -> Tuple:
    """A source that no other connection to the same destination has."""
    if wanted.proto not in PORTS and wanted.proto != ICMP:
        return wanted
    while wanted.inverse in state.connections:
        port = wanted.sport + 1
        wanted = wanted._replace(sport=port if port <= _LAST_PORT else _FIRST_FREE)
    return wanted


def translate(visit: Visit, skb: Skb, *, source: bool) -> bool:
    """Apply a connection's translation of the source, or of the destination, to its packet. Return
    False if the packet must not pass.
    """
    tracking = skb.tracking
    if tracking is None or tracking.connection is None:
        return True
    connection = tracking.connection
    translates = connection.is_snat if source != tracking.is_answer else connection.is_dnat
    if tracking.status is Status.RELATED:
        if skb["icmp_type"] == REDIRECT and (connection.is_snat or connection.is_dnat):
            return False
        after = _error(skb.packet, tracking, source) if translates else skb.packet
    else:
        after = _aimed_packet(skb.packet, _target(tracking), source) if translates else skb.packet
    _note(visit, skb, after, source)
    return True


def _target(tracking: Tracking) -> Tuple:
    """The direction that the packet is to have when all is translated."""
    connection = tracking.connection
    assert connection is not None
    return connection.original.inverse if tracking.is_answer else connection.translated


def _aimed_packet(packet: Packet, target: Tuple, source: bool) -> Packet:
    """The packet with one end of a direction."""
    end, ip, port = ("src", target.src, target.sport)
    if not source:
        end, ip, port = ("dst", target.dst, target.dport)
    packet = packet.having(**{f"nw_{end}": ip})
    if packet["nw_proto"] == ICMP:
        return packet.having(icmp_id=target.sport) if "icmp_id" in packet else packet
    name = PORTS.get(packet["nw_proto"])
    return packet.having(**{f"{name}_{end}": port}) if name else packet


def _error(packet: Packet, tracking: Tracking, source: bool) -> Packet:
    """An ICMP error with one end of its own, and the other of the packet that it quotes."""
    target = _target(tracking)
    quoted = packet.quoted
    assert quoted is not None, "only an error that quotes a packet is related"
    inner = _aimed_packet(quoted, target.inverse, not source)
    outer = {"nw_src": target.src} if source else {"nw_dst": target.dst}
    return evolve(packet.having(**outer), quoted=inner)


def _note(visit: Visit, skb: Skb, after: Packet, source: bool) -> None:
    """Put the translated packet into the place of the other, with a step if they differ."""
    before, skb.packet = skb.packet, after
    found = changes(before, after)
    tracking = skb.tracking
    if not found or tracking is None or tracking.status is Status.NEW:
        return
    end = "source" if source else "destination"
    ip = ip_text(after["nw_src" if source else "nw_dst"])
    visit.step(Kind.CONNECTION, f"conntrack: {_whose(tracking)}: {end} becomes {ip}", found)


def _whose(tracking: Tracking) -> str:
    if tracking.status is Status.RELATED:
        return "an ICMP error about a known connection"
    return "an answer of a known connection" if tracking.is_answer else "a known connection"
