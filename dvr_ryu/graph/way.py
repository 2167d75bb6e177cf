"""Maps a trace to the elements of a picture that its packet passes, in order. Pure.

It is the way to the verdict: no branches of a flooded packet, and no ARP. The answer's way is that
of the trace of the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.graph.host import bridge_id, device_id, namespace_id, port_id, underlay_id
from dvr_ryu.graph.hosts import OUTSIDE, UNDERLAY
from dvr_ryu.graph.picture import Kind as ElementKind
from dvr_ryu.graph.picture import cable_id, element_id, goto_id
from dvr_ryu.graph.pipeline import table_id
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.pipeline.run.steps import Step as BridgeStep
from dvr_ryu.pipeline.tools.graph import next_tables
from dvr_ryu.trace.endpoints import OUTSIDE as OUTSIDE_WORD
from dvr_ryu.trace.hops import Hop, Kind, Trace

_BOXES = ("bridge/", "namespace/")
_ITEMS = ("port/", "device/")


def way(trace: Trace, shown: Collection[str] | None = None) -> tuple[str, ...]:
    """The ids of ports, devices, bridges, namespaces and cables that the packet passes.

    `shown` are the hosts that the picture has in full, all if it is None; any other is one element.
    """
    elements: list[str] = []
    for id in _elements(trace, shown):
        if id not in elements[-1:]:
            elements.append(id)
    return tuple(_with_cables(elements))


def hosts_of(trace: Trace) -> tuple[str, ...]:
    """The hosts that the packet passes, each once."""
    return tuple(dict.fromkeys(hop.host for hop in trace.way()))


def tables(trace: Trace, pipeline: Pipeline, host: str | None = None) -> tuple[str, ...]:
    """The ids of a bridge's tables that the packet passes, and of the gotos between them.

    A bridge is on several hosts: `host` takes the packet's first visit on that one, else its first
    visit at all.
    """
    for hop in trace.way():
        is_bridge = hop.kind is Kind.BRIDGE and hop.node == pipeline.bridge
        if is_bridge and host in (None, hop.host):
            steps = [step for step in hop.steps if isinstance(step, BridgeStep)]
            return tuple(_of_tables(pipeline, steps))
    return ()


def _of_tables(pipeline: Pipeline, steps: Sequence[BridgeStep]) -> Iterator[str]:
    following = {table.number: next_tables(table) for table in pipeline.tables}
    for number, step in enumerate(steps):
        id = table_id(pipeline.bridge, step.table)
        # The flow that led here: the last one of this depth, or the one that this is within.
        for earlier in reversed(steps[:number]):
            if earlier.depth <= step.depth and step.table in following.get(earlier.table, ()):
                yield goto_id(table_id(pipeline.bridge, earlier.table), id)
                break
        yield id


def _elements(trace: Trace, shown: Collection[str] | None) -> Iterator[str]:
    """The elements without cables."""
    hops = trace.way()
    for number, hop in enumerate(hops):
        following = hops[number + 1] if number + 1 < len(hops) else None
        if hop.kind is Kind.TUNNEL:
            yield from _tunnel(hop, following, shown)
        elif shown is not None and hop.host not in shown:
            yield element_id(ElementKind.HOST, hop.host)
        else:
            yield from _visit(trace, hop, following)


def _visit(trace: Trace, hop: Hop, following: Hop | None) -> Iterator[str]:
    """What a packet passes in one bridge or namespace: its way in, the box, its way out."""
    if hop.port is not None and hop.awaited is None:
        yield _end(hop, hop.port)
    if hop.kind is Kind.BRIDGE:
        yield bridge_id(hop.host, hop.node)
    else:
        yield namespace_id(hop.host, hop.node)
        if _is_outside(trace, hop, following):
            yield OUTSIDE
    if following is not None:
        leaving = (each.port for each in hop.outputs if each.hop == following.number)
        yield from (_end(hop, port) for port in leaving)


def _end(hop: Hop, port: str) -> str:
    make = port_id if hop.kind is Kind.BRIDGE else device_id
    return make(hop.host, hop.node, port)


def _tunnel(hop: Hop, following: Hop | None, shown: Collection[str] | None) -> Iterator[str]:
    for host in (hop.host, following.host if following else None):
        if host is not None:
            is_shown = shown is None or host in shown
            yield from _at_underlay(host) if is_shown else [element_id(ElementKind.HOST, host)]
        if host == hop.host:
            yield UNDERLAY


def _at_underlay(host: str) -> tuple[str, str]:
    return underlay_id(host), namespace_id(host, ROOT)


def _is_outside(trace: Trace, hop: Hop, following: Hop | None) -> bool:
    """Whether this end of the way stands for the world: the user's word for it was `outside`."""
    sends = hop.parent is None and trace.sender.name == OUTSIDE_WORD
    return sends or (following is None and trace.receiver.name == OUTSIDE_WORD)


def _with_cables(elements: list[str]) -> Iterator[str]:
    """Put a cable before each element to which one leads from the element before, in no box."""
    before = ""
    for id in elements:
        if not id.startswith(_BOXES):
            if before and _box(before) != _box(id):
                yield cable_id(before, id)
            before = id
        yield id


def _box(id: str) -> str:
    """The part of an id that names what the element is in: ports and devices are in boxes."""
    return id.rpartition("/")[0] if id.startswith(_ITEMS) else id
