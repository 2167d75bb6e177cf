"""Tells a trace as lines: hosts, nodes, steps, changes, and the verdict. Pure.

It chooses what matters: the way to the verdict whole; ARP, and a flood's other copies, in a line
each. `text` sets the lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum

from attrs import frozen

from dvr_ryu.errors import Location
from dvr_ryu.pipeline.run.packet import ARP_REPLY, is_metadata
from dvr_ryu.pipeline.run.steps import Step as FlowStep
from dvr_ryu.topology.wording import listed
from dvr_ryu.trace.hops import Hop, Kind, Outcome, Step, Strand, Trace
from dvr_ryu.trace.judging import answering, ended, node_of
from dvr_ryu.trace.kernel.addresses import ip_text, mac_text
from dvr_ryu.trace.kernel.outcome import Purpose
from dvr_ryu.trace.kernel.outcome import Step as KernelStep
from dvr_ryu.trace.network import Network
from dvr_ryu.trace.story.packets import change_text, packet_text, probe_text
from dvr_ryu.trace.wording import described, on_host

SHOWN_COPIES = 4
"""So many of a flood's other copies have a line of their own."""


class Level(Enum):
    """The kind of a line: how it is set off."""

    TITLE = "title"
    HOST = "host"
    NODE = "node"
    STEP = "step"
    CHANGE = "change"
    NOTE = "note"
    DEPARTURE = "departure"
    """Reality departs from the value."""
    GOOD = "good"
    BAD = "bad"


@frozen
class Line:
    """One line of a story. A step in a table has the table as its label, and its location; `depth`
    is 1 more in each resubmit.
    """

    level: Level
    text: str
    label: str = ""
    location: Location | None = None
    depth: int = 0


Remarks = Mapping[tuple[int, int], Sequence[str]]
"""Numbers of a hop and of its step → reality's decisions there."""


def story(
    network: Network, trace: Trace, remarks: Remarks | None = None, on_reply: Remarks | None = None
) -> Iterator[Line]:
    """The lines of a trace, and of its answer. `remarks` follow the steps of the trace itself,
    `on_reply` those of the answer.
    """
    yield Line(Level.TITLE, title(trace))
    yield from _Telling(network, trace, remarks or {}).lines()
    if trace.reply is not None:
        yield Line(Level.TITLE, f"The answer: {packet_text(trace.reply.packet)}")
        yield from _Telling(network, trace.reply, on_reply or {}).lines()
        yield _comparison(network, trace, trace.reply)


def title(trace: Trace) -> str:
    """The ends and the packet in one line."""
    receiver = trace.receiver
    named = receiver.name != receiver.address
    to = f"{receiver.name} ({receiver.address})" if named else receiver.name
    return f"{trace.sender.name} to {to}: {probe_text(trace.probe)}"


class _Telling:
    """The lines of one direction."""

    def __init__(self, network: Network, trace: Trace, remarks: Remarks) -> None:
        self._topology = network.topology
        self._tables = {
            (bridge, table.number): table
            for bridge, pipeline in network.pipelines.by_bridge.items()
            for table in pipeline.tables
        }
        self._trace = trace
        self._remarks = remarks
        self._way = trace.way()

    def lines(self) -> Iterator[Line]:
        """The hops of the way, then the verdict."""
        before: Hop | None = None
        for hop in self._way:
            if before is None or hop.host != before.host:
                yield Line(Level.HOST, hop.host)
            if before is not None and hop.awaited == before.number:
                yield Line(Level.NOTE, self._asked(hop))
            else:
                yield Line(Level.NODE, self._node(hop))
            yield from self._steps(hop)
            yield from self._copies(hop)
            before = hop
        verdict = self._trace.verdict
        if verdict.outcome is Outcome.UNANSWERED:
            yield from self._unheard(self._way[-1])
        level = Level.GOOD if verdict.delivered else Level.BAD
        yield Line(level, str(verdict))

    def _node(self, hop: Hop) -> str:
        if hop.kind is Kind.TUNNEL:
            return f"the tunnel {hop.node}"
        if hop.kind is Kind.BRIDGE:
            return f"{hop.node}, from {hop.port}"
        name = described(self._topology, hop.host, hop.node)
        if hop.node:
            name += f" ({hop.node})"
        if hop.port is None:
            return f"{name} sends {packet_text(hop.packet)}"
        return f"{name}, from {hop.port}"

    # Steps ----------------------------------------------------------------------------------------

    def _steps(self, hop: Hop) -> Iterator[Line]:
        shown: set[str] = set()
        for number, step in enumerate(hop.steps):
            if self._concerns(hop, step):
                yield from self._step(hop, number)
                shown.update(each.name for each in getattr(step, "changes", ()))
            for remark in self._remarks.get((hop.number, number), ()):
                yield Line(Level.DEPARTURE, f"LIVE {remark}")
        entered = hop if hop.awaited is None else self._trace.hops[hop.awaited]
        if hop.kind is Kind.NAMESPACE and entered.port is not None:
            yield from self._changed(hop, entered, shown)

    def _concerns(self, hop: Hop, step: Step) -> bool:
        """Whether a step is about the packet itself, not about its neighbours or an error."""
        verdict = self._trace.verdict
        answers_probe = hop.packet.is_arp and verdict.delivered and hop.number == verdict.hop
        if hop.awaited is not None or answers_probe:
            return False
        if not isinstance(step, KernelStep) or hop.packet.is_arp:
            return True
        answers = step.purpose is Purpose.ANSWER and hop.port is None
        return step.purpose is Purpose.PASSAGE or answers

    def _step(self, hop: Hop, number: int) -> Iterator[Line]:
        step = hop.steps[number]
        if isinstance(step, FlowStep):
            text = flow_text(step) or self._other(hop, number, step)
            if step.actions == "drop" and step is hop.steps[-1] and text != "drop":
                text += " Dropped."
            label = f"{step.table} {step.name}"
            yield Line(Level.STEP, text, label, step.location, step.depth)
            for note in step.notes:
                # A packet that is only to teach NORMAL goes nowhere: the table's sentence says so.
                if not (step.depth and note.startswith("NORMAL drops")):
                    yield Line(Level.NOTE, note.partition(": priority=")[0])
        else:
            yield Line(Level.STEP, step.text)
        for change in getattr(step, "changes", ()):
            if not is_metadata(change.name) or change.name == "tun_id":
                yield Line(Level.CHANGE, change_text(*change))

    def _other(self, hop: Hop, number: int, step: FlowStep) -> str:
        """The text of a flow without a sentence: a goto, else the sentence of its table."""
        following = hop.steps[number + 1 : number + 2]
        for each in following:
            if isinstance(each, FlowStep) and step.actions == f"goto_table:{each.table}":
                return f"On to {each.name}."
        table = self._tables.get((hop.node, step.table))
        return table.sentence if table and step.actions != "drop" else step.actions or "drop"

    def _changed(self, hop: Hop, entered: Hop, shown: set[str]) -> Iterator[Line]:
        """The changes of a namespace in a packet that goes on, beside those of its steps."""
        before = entered.packet
        onward = [
            each.packet for each in hop.outputs if each.packet["dl_type"] == before["dl_type"]
        ]
        if len(onward) == 1 and onward[0].quoted is None:
            for name in ("dl_src", "dl_dst", "nw_ttl"):
                if name not in shown and before[name] != onward[0][name]:
                    yield Line(Level.CHANGE, change_text(name, before[name], onward[0][name]))

    # Beside the way -------------------------------------------------------------------------------

    def _asked(self, hop: Hop) -> str:
        """A question for a neighbour, which ends with the reply at this hop, in one line."""
        reply = hop.packet
        text = f"ARP: {ip_text(reply['arp_spa'])} is at {mac_text(reply['arp_sha'])}"
        by = answering(self._trace.hops, hop)
        return f"{text}; {node_of(self._topology, by)} answers" if by else text

    def _unheard(self, hop: Hop) -> Iterator[Line]:
        """One line about an unanswered question: the nodes that heard it, or its end."""
        if hop.packet.is_arp:
            return
        asked = [
            each
            for each in self._trace.hops[hop.number + 1 :]
            if each.strand is Strand.ARP and each.packet["arp_op"] != ARP_REPLY
        ]
        heard = [
            on_host(self._topology, each.host, each.node)
            for each in asked
            if each.kind is Kind.NAMESPACE
        ]
        if heard:
            yield Line(Level.NOTE, f"ARP: the question reaches {listed(dict.fromkeys(heard))}")
        elif asked:
            yield Line(Level.NOTE, f"ARP: the question ends: {ended(self._topology, asked[-1])}")

    def _copies(self, hop: Hop) -> Iterator[Line]:
        """The copies of a flood that lead elsewhere, each with its end."""
        on_way = {each.number for each in self._way}
        # A bridge's own port is down, and leads nowhere.
        others = [
            each
            for each in hop.outputs
            if hop.kind is Kind.BRIDGE and each.hop not in on_way and each.port != hop.node
        ]
        for output in others[:SHOWN_COPIES]:
            yield Line(Level.NOTE, f"a copy by {output.port}: {self._end(output.hop)}")
        if rest := others[SHOWN_COPIES:]:
            ports = ", ".join(each.port for each in rest)
            yield Line(Level.NOTE, f"{len(rest)} more copies: {ports}")

    def _end(self, number: int | None) -> str:
        """Where the copy that is at a hop ends; of several, the first."""
        hops = self._trace.hops
        if number is None or number >= len(hops):
            return "nothing is plugged in there"
        hop = hops[number]
        while onward := [each.hop for each in hop.outputs if each.hop and each.hop < len(hops)]:
            hop = hops[onward[0]]
        if hop.delivered:
            return f"{node_of(self._topology, hop)} gets it, too"
        return ended(self._topology, hop)


def flow_text(step: FlowStep) -> str:
    """A step of a table in words: its line's sentence; empty if the line has none."""
    if not step.matched:
        return "No flow matches: dropped."
    if step.learned:
        return f"A learned flow: {step.match} actions={step.actions}"
    return step.sentence


def _comparison(network: Network, trace: Trace, reply: Trace) -> Line:
    """Whether the answer takes the same way back."""
    there, back = _nodes(trace), _nodes(reply)[::-1]
    if not reply.verdict.delivered:
        return Line(Level.BAD, "the packet arrives, but its answer does not")
    if there == back:
        return Line(Level.GOOD, "the reply takes the same way back")
    visited = [each for each in back if each not in there]
    missed = [each for each in there if each not in back]
    parts = []
    for verb, nodes in (("by", visited), ("not by", missed)):
        if nodes:
            names = [on_host(network.topology, *node) for node in nodes]
            parts.append(f"{verb} {' and '.join(names)}")
    return Line(
        Level.GOOD, f"the reply takes another way: {', '.join(parts) or 'in another order'}"
    )


def _nodes(trace: Trace) -> list[tuple[str, str]]:
    """Host and namespace of each hop in one, without repetitions."""
    found = [(hop.host, hop.node) for hop in trace.way() if hop.kind is Kind.NAMESPACE]
    return [node for number, node in enumerate(found) if found[:number][-1:] != [node]]
