"""Finds what is wrong with the traces of an attempt, beside an expectation. Pure.

Independently of any expectation, no packet may go in a circle or arrive twice, and no two machines
may answer one question for a neighbour. A gateway has the same MAC on every host: so no question
for a gateway, and no answer of one, may cross a tunnel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import Enum

from attrs import frozen

from dvr_ryu.companion.desired.dhcp import dhcp_namespace
from dvr_ryu.pipeline.run.packet import ARP_REPLY, ARP_REQUEST, BROADCAST
from dvr_ryu.prove.attempt import Attempt, Kind
from dvr_ryu.prove.dhcp import arrivals
from dvr_ryu.prove.expectations import Expected
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.hops import Hop, Trace
from dvr_ryu.trace.hops import Kind as Node
from dvr_ryu.trace.kernel.addresses import ip_text
from dvr_ryu.trace.kernel.outcome import Receiver
from dvr_ryu.trace.wording import on_host


class Fault(Enum):
    """A kind of finding; the text is its heading."""

    CUT = "should arrive, but does not"
    OPEN = "should not arrive, but does"
    STRAY = "arrives at another machine"
    SEEN_AS = "is seen by another address"
    MTU = "arrives only if it is small"
    TWICE = "arrives twice"
    LOOP = "goes in a circle"
    ARP_TWICE = "two machines answer ARP"
    ARP_LEAK = "a gateway's ARP crosses a tunnel"


@frozen
class Finding:
    """A fault of an attempt, what happens in words, and the trace that shows it."""

    kind: Fault
    attempt: Attempt
    text: str
    trace: Trace

    def __str__(self) -> str:
        return f"{self.attempt}: {self.text}"


def findings(
    topology: Topology,
    attempt: Attempt,
    expected: Expected | None,
    trace: Trace,
) -> Iterator[Finding]:
    """All that is wrong with an attempt's trace; without an expectation, whatever arrives is
    right.
    """
    if expected is not None:
        yield from _unexpected(attempt, expected, trace)
    for each in filter(None, (trace, trace.reply)):
        yield from _strange(topology, attempt, each)


def too_long(attempt: Attempt, trace: Trace) -> Finding:
    """The finding about a large packet that is lost where a small one arrives."""
    return Finding(Fault.MTU, attempt, _lost(trace), trace)


def _unexpected(attempt: Attempt, expected: Expected, trace: Trace) -> Iterator[Finding]:
    def found(fault: Fault, text: str) -> Finding:
        return Finding(fault, attempt, text, trace)

    if not expected.answered:
        if attempt.succeeds(trace):
            text = f"{trace.verdict.owner} answers, but {expected.reason}"
            yield found(Fault.OPEN, text)
    elif not attempt.succeeds(trace):
        yield found(Fault.CUT, _lost(trace))
    elif expected.owner is not None and trace.verdict.owner != str(expected.owner):
        text = f"{trace.verdict.owner} gets it, not {expected.owner}"
        yield found(Fault.STRAY, text)
    elif expected.seen_as is not None and trace.verdict.seen_as != expected.seen_as:
        text = f"{trace.verdict.owner} sees {trace.verdict.seen_as}, not {expected.seen_as}"
        yield found(Fault.SEEN_AS, text)


def _lost(trace: Trace) -> str:
    """Where a packet, or its answer, is lost."""
    if not trace.verdict.delivered:
        return trace.verdict.reason
    reason = trace.reply.verdict.reason if trace.reply is not None else "nothing answers"
    return f"the answer is lost: {reason}"


def _strange(topology: Topology, attempt: Attempt, trace: Trace) -> Iterator[Finding]:
    """The faults that need no expectation."""
    copies = Counter((hop.host, hop.node) for hop in _takers(topology, attempt, trace))
    if copies.total() > 1:
        where = " and ".join(on_host(topology, *node) for node in copies)
        text = f"{copies.total()} copies arrive: at {where}"
        yield Finding(Fault.TWICE, attempt, text, trace)
    for hop in trace.hops:
        if hop.looped:
            text = f"{hop.node or hop.host} on {hop.host} gets the same packet again"
            yield Finding(Fault.LOOP, attempt, text, trace)
            break
    yield from _two_answers(topology, attempt, trace)
    yield from _leaks(topology, attempt, trace)


def _takers(topology: Topology, attempt: Attempt, trace: Trace) -> list[Hop]:
    """The hops that take the packet: of a broadcast to all, only those of DHCP servers."""
    if attempt.kind is Kind.PACKET:
        return trace.deliveries()
    if attempt.kind is Kind.DHCP and trace.packet["dl_dst"] == BROADCAST:
        return arrivals(trace, dhcp_namespace(topology.networks[attempt.target]))
    return []


def _two_answers(topology: Topology, attempt: Attempt, trace: Trace) -> Iterator[Finding]:
    answers: Counter[tuple[str, str, int]] = Counter()
    for hop in trace.hops[1:]:
        packet, at = hop.packet, (hop.host, hop.node)
        if hop.kind is Node.NAMESPACE and packet.is_arp and packet["arp_op"] == ARP_REPLY:
            asks = attempt.kind is Kind.ARP and at == (trace.sender.host, trace.sender.namespace)
            if asks or any(each.receiver is Receiver.KERNEL for each in hop.delivered):
                answers[hop.host, hop.node, packet["arp_spa"]] += 1
    for (host, node, address), count in answers.items():
        if count > 1:
            asker = on_host(topology, host, node)
            text = f"{asker} gets {count} answers for {ip_text(address)}"
            yield Finding(Fault.ARP_TWICE, attempt, text, trace)


def _leaks(topology: Topology, attempt: Attempt, trace: Trace) -> Iterator[Finding]:
    crossing = [hop for hop in trace.hops if hop.kind is Node.TUNNEL and hop.packet.is_arp]
    if not crossing:
        return
    gateways = {
        (topology.networks[foot.network].vni, foot.ip)
        for router in topology.routers.values()
        for foot in router.interfaces
    }
    for hop in crossing:
        packet, vni = hop.packet, hop.packet["tun_id"]
        asked = packet["arp_op"] == ARP_REQUEST and (vni, ip_text(packet["arp_tpa"])) in gateways
        answered = packet["arp_op"] == ARP_REPLY and (vni, ip_text(packet["arp_spa"])) in gateways
        if asked or answered:
            what = "the question for" if asked else "the answer of"
            address = ip_text(packet["arp_tpa" if asked else "arp_spa"])
            text = f"{what} {address} leaves {hop.host} by {hop.node}"
            yield Finding(Fault.ARP_LEAK, attempt, text, trace)
            return
