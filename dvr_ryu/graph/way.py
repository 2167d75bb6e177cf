"""Maps a trace to the elements of a picture that its packet passes, in order. Pure.

It is the way to the verdict: no branches of a flooded packet, and no ARP. The answer's way is that
of the trace of the answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.graph.host import (
    OWN_NAMESPACE,
    bridge_id,
    device_id,
    namespace_id,
    port_id,
    underlay_id,
)
from dvr_ryu.graph.hosts import OUTSIDE, UNDERLAY
from dvr_ryu.graph.picture import Kind as ElementKind
from dvr_ryu.graph.picture import cable_id, element_id, goto_id
from dvr_ryu.graph.pipeline import table_id
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.pipeline.run.steps import Step as BridgeStep
from dvr_ryu.pipeline.tools.graph import next_tables
from dvr_ryu.topology.expectation import OUTSIDE as OUTSIDE_WORD
from dvr_ryu.trace.hops import Hop, Kind, Trace
from dvr_ryu.trace.kernel.setup.configuration import UNDERLAY as UNDERLAY_DEVICE

_BOXES = ("bridge/", "namespace/")
_ITEMS = ("port/", "device/")
_ON_UNDERLAY = ("underlay/", "host/")
_BY_GATEWAY = ("device/", "host/")


def way(trace: Trace, shown: Collection[str] | None = None) -> tuple[str, ...]:
    """The ids of ports, devices, bridges, namespaces and cables that the packet passes.

    `shown` are the hosts that the picture has in full, all if it is None; any other is one element.
    """
    elements: list[str] = []
    for id in _elements(trace, shown):
        if id not in elements[-1:]:
            elements.append(id)
    return tuple(_with_cables(_with_world(trace, elements)))


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
            yield from _visit(hop, following)


def _visit(hop: Hop, following: Hop | None) -> Iterator[str]:
    """What a packet passes in one bridge or namespace: its way in, the box, its way out."""
    way_in = [_end(hop, hop.port)] if hop.port and hop.awaited is None else []
    way_out = [
        _end(hop, each.port) for each in hop.outputs if following and each.hop == following.number
    ]
    yield from way_in
    if hop.kind is Kind.BRIDGE:
        yield bridge_id(hop.host, hop.node)
    else:
        yield namespace_id(hop.host, hop.node)
    yield from way_out


def _end(hop: Hop, port: str) -> str:
    if hop.kind is Kind.BRIDGE:
        return port_id(hop.host, hop.node, port)
    if (hop.node, port) == (ROOT, UNDERLAY_DEVICE):
        return underlay_id(hop.host)
    return device_id(hop.host, hop.node, port)


def _tunnel(hop: Hop, following: Hop | None, shown: Collection[str] | None) -> Iterator[str]:
    """The underlay's ends of a tunnel."""
    for host in (hop.host, *([following.host] if following else [])):
        if shown is None or host in shown:
            yield from (underlay_id(host), namespace_id(host, ROOT))
        else:
            yield element_id(ElementKind.HOST, host)


def _with_world(trace: Trace, elements: list[str]) -> list[str]:
    """Add the world beyond a gateway at the end that the user called `outside`."""
    ends = [id for id in elements if not id.startswith(_BOXES)]
    before = [OUTSIDE] if trace.sender.name == OUTSIDE_WORD else []
    after = [OUTSIDE] if trace.receiver.name == OUTSIDE_WORD and trace.verdict.delivered else []
    return [
        *(before if ends and ends[0].startswith(_BY_GATEWAY) else []),
        *elements,
        *(after if ends and ends[-1].startswith(_BY_GATEWAY) else []),
    ]


def _with_cables(elements: list[str]) -> Iterator[str]:
    """Put a cable before each element that is in another box than the one before, and the underlay
    between two hosts.
    """
    before = ""
    for id in elements:
        if not id.startswith(_BOXES):
            if before.startswith(_ON_UNDERLAY) and id.startswith(_ON_UNDERLAY):
                yield from (cable_id(before, UNDERLAY), UNDERLAY)
                before = UNDERLAY
            if before and _box(before) != _box(id):
                yield cable_id(before, id)
            before = id
        yield id


def _box(id: str) -> str:
    """The part of an id that names what the element is in: ports and devices are in boxes."""
    kind, _, host = id.partition("/")
    if kind == ElementKind.UNDERLAY.value and host:
        return element_id(ElementKind.DEVICE, host, OWN_NAMESPACE)
    return id.rpartition("/")[0] if id.startswith(_ITEMS) else id
