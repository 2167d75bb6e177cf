"""Asks the hosts along a computed way what they would do, and says where they depart from it.

Each node is asked about the packet as the value says that it arrives there: so a departure at one
node does not hide the next.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest

from attrs import frozen

from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.trace.hops import Hop, Kind, Trace
from dvr_ryu.trace.live import bridges, kernels
from dvr_ryu.trace.live.asking import Ask, Node
from dvr_ryu.trace.network import Network


@frozen
class Departure:
    """A step where reality is not as the value says: `text` is what is there instead."""

    hop: int
    step: int
    host: str
    node: str
    text: str


@frozen
class Comparison:
    """Where a way's nodes depart from a trace, and the hosts that could not be asked."""

    departures: tuple[Departure, ...]
    asked: tuple[str, ...]
    unasked: tuple[str, ...]

    @property
    def remarks(self) -> dict[tuple[int, int], list[str]]:
        """Numbers of a hop and of its step → what is there instead, for a story."""
        found: dict[tuple[int, int], list[str]] = {}
        for each in self.departures:
            found.setdefault((each.hop, each.step), []).append(each.text)
        return found


def compare(network: Network, trace: Trace, ask: Ask) -> Comparison:
    """Ask every node of the way to the verdict. Raises Unanswered if a host fails to answer."""
    way = trace.way()
    hosts = dict.fromkeys(hop.host for hop in way)
    asked = tuple(host for host in hosts if ask(host, ROOT, ["true"]) is not None)
    found = [
        Departure(hop.number, step, hop.host, hop.node, text)
        for hop, following in zip_longest(way, way[1:])
        if hop.host in asked
        for step, text in _departures(network, hop, following, ask)
    ]
    return Comparison(tuple(found), asked, tuple(host for host in hosts if host not in asked))


def _departures(
    network: Network, hop: Hop, following: Hop | None, ask: Ask
) -> Iterator[tuple[int, str]]:
    if hop.kind is Kind.BRIDGE:
        yield from bridges.departures(hop, network.pipelines, Node(hop.host, ROOT, ask))
    elif hop.kind is Kind.NAMESPACE and hop.awaited is None and hop.steps:
        answer = ask(hop.host, hop.node, ["true"])
        if answer is None:
            return  # a guest whose inside is out of reach
        if hop.node and answer.failed:
            yield 0, f"there is no namespace {hop.node}: {answer.errors.strip()}"
            return
        node = Node(hop.host, hop.node, ask)
        leaving = _leaving(hop, following)
        yield from kernels.departures(hop, leaving, network.hosts[hop.host], node)


def _leaving(hop: Hop, following: Hop | None) -> Packet | None:
    """The packet with which a namespace lets another go on; None if it ends there."""
    if following is None:
        return None
    source = following if following.awaited == hop.number else hop
    packets = [
        each.packet for each in source.outputs if each.packet["dl_type"] == hop.packet["dl_type"]
    ]
    return packets[0] if packets else None
