"""Decides what became of a packet, from the hops of its walk. Pure; it follows no frame."""

from __future__ import annotations

from collections.abc import Sequence

from dvr_ryu.pipeline.run.packet import ARP_REQUEST
from dvr_ryu.pipeline.run.steps import Step as FlowStep
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.hops import Hop, Kind, Outcome, Strand, Verdict, lineage
from dvr_ryu.trace.kernel.addresses import ip_text, mac_text
from dvr_ryu.trace.kernel.outcome import Drop, Purpose, Receiver, Why
from dvr_ryu.trace.walk import Walk
from dvr_ryu.trace.wording import on_host, owner

_UNCONCERNED = {Why.OTHER_HOST, Why.UNKNOWN_PROTOCOL, Why.SILENT}
"""The ends of a flood's copies at nodes that the packet does not concern."""


def verdict(topology: Topology, walk: Walk) -> Verdict:
    """The end of a walk's packet."""
    hops = walk.hops
    way = [hop for hop in hops if hop.strand is Strand.WAY]
    return (
        _delivered(topology, hops, way)
        or _refused(topology, hops)
        or _unanswered(topology, hops, walk)
        or _looped(topology, way)
        or _nobody_has_it(topology, hops, way)
        or _dropped(topology, hops, way)
    )


def _made(topology: Topology, outcome: Outcome, hop: Hop, reason: str, seen: str = "") -> Verdict:
    name = owner(topology, hop.host, hop.node) if hop.kind is Kind.NAMESPACE else hop.node
    return Verdict(outcome, hop.number, hop.host, name, seen or None, reason)


def _delivered(topology: Topology, hops: Sequence[Hop], way: Sequence[Hop]) -> Verdict | None:
    for hop in way:
        for delivery in hop.delivered:
            seen = ip_text(delivery.packet["nw_src"])
            name = on_host(topology, hop.host, hop.node)
            if delivery.receiver is Receiver.NOBODY:
                reason = f"{name} gets it, but no program listens there"
                return _made(topology, Outcome.REFUSED, hop, reason, seen)
            reason = f"{name} gets it, and sees {seen} as its sender"
            return _made(topology, Outcome.DELIVERED, hop, reason, seen)
    return _answered_arp(topology, hops, way)


def _answered_arp(topology: Topology, hops: Sequence[Hop], way: Sequence[Hop]) -> Verdict | None:
    """The verdict of a question for a neighbour: its answer came to the sender."""
    sender = way[0]
    if not sender.packet.is_arp:
        return None
    for hop in way[1:]:
        at_sender = (hop.host, hop.node) == (sender.host, sender.node)
        if at_sender and hop.packet["arp_spa"] == sender.packet["arp_tpa"]:
            answer = f"{ip_text(hop.packet['arp_spa'])} is at {mac_text(hop.packet['arp_sha'])}"
            by = answering(hops, hop)
            who = f"; {node_of(topology, by)} answers" if by else ""
            return _made(topology, Outcome.DELIVERED, hop, answer + who)
    return None


def _refused(topology: Topology, hops: Sequence[Hop]) -> Verdict | None:
    """The verdict if an ICMP error came to the sender."""
    for error in hops:
        if error.strand is Strand.ERROR and error.delivered:
            hop = next(each for each in lineage(hops, error.number) if each.strand is Strand.WAY)
            text = next((drop.text for drop in hop.dropped), "an ICMP error")
            by = on_host(topology, hop.host, hop.node)
            answer = f"{ip_text(error.packet['nw_src'])} ({by}) answers the sender"
            return _made(topology, Outcome.REFUSED, hop, f"{text}; {answer}")
    return None


def _looped(topology: Topology, way: Sequence[Hop]) -> Verdict | None:
    for hop in way:
        if hop.looped:
            reason = f"it comes to {hop.node or hop.host} on {hop.host} again and again: a loop"
            return _made(topology, Outcome.LOOPED, hop, reason)
    return None


def _unanswered(topology: Topology, hops: Sequence[Hop], walk: Walk) -> Verdict | None:
    for host, namespace, ip in walk.waiting():
        for hop in hops:
            if (hop.host, hop.node, hop.strand) == (host, namespace, Strand.WAY):
                name = on_host(topology, host, namespace)
                reason = f"{name} asks for {ip_text(ip)} by ARP, and nobody answers"
                return _made(topology, Outcome.UNANSWERED, hop, reason)
    return None


def _nobody_has_it(topology: Topology, hops: Sequence[Hop], way: Sequence[Hop]) -> Verdict | None:
    """The verdict of a question for a neighbour that no reply answers."""
    if not way[0].packet.is_arp:
        return None
    reason = f"nobody that hears the question has {ip_text(way[0].packet['arp_tpa'])}"
    return _made(topology, Outcome.UNANSWERED, _furthest(hops, way), reason)


def _dropped(topology: Topology, hops: Sequence[Hop], way: Sequence[Hop]) -> Verdict:
    """The verdict of a packet that simply ends."""
    hop = _furthest(hops, way)
    return _made(topology, Outcome.DROPPED, hop, ended(topology, hop))


def _furthest(hops: Sequence[Hop], way: Sequence[Hop]) -> Hop:
    """The end of a packet: of a flood's copies, that which came furthest."""
    left = {each for hop in way for each in (hop.parent, hop.awaited)}
    ends = [hop for hop in way if hop.number not in left]
    return max(ends, key=lambda each: (_concerns(each), len([*lineage(hops, each.number)])))


def _concerns(hop: Hop) -> bool:
    return not hop.dropped or any(each.why not in _UNCONCERNED for each in hop.dropped)


def ended(topology: Topology, hop: Hop) -> str:
    """Where and why a packet goes no further, as a sentence."""
    if hop.kind is Kind.NAMESPACE:
        return f"{on_host(topology, hop.host, hop.node)}: {end_of(hop)}"
    return end_of(hop)


def end_of(hop: Hop) -> str:
    """Why a packet goes no further at a hop. A bridge and a tunnel are named, too."""
    drops: list[Drop] = [each for each in hop.dropped if each.purpose is Purpose.PASSAGE]
    if drops:
        tunnel = f"the tunnel {hop.node} on {hop.host}: " if hop.kind is Kind.TUNNEL else ""
        return tunnel + drops[0].text
    step = hop.steps[-1] if hop.steps else None
    if isinstance(step, FlowStep):
        table = f"{hop.node} on {hop.host} drops it in table {step.table} {step.name}"
        return f"{table}: {step.sentence}" if step.sentence else table
    return f"nothing takes it further on {hop.host}"


def answering(hops: Sequence[Hop], reply: Hop) -> Hop | None:
    """The hop whose node has answered a question by ARP; `reply` is where the answer ends."""
    asked = (hop for hop in lineage(hops, reply.parent) if hop.packet["arp_op"] == ARP_REQUEST)
    return next(asked, None)


def node_of(topology: Topology, hop: Hop) -> str:
    """The node that a hop is at, and for a bridge its last table."""
    if hop.kind is Kind.NAMESPACE:
        return on_host(topology, hop.host, hop.node)
    step = hop.steps[-1] if hop.steps else None
    table = f", table {step.table} {step.name}," if isinstance(step, FlowStep) else ""
    return f"{hop.node} on {hop.host}{table}"
