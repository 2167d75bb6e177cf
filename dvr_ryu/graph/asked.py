"""Makes the picture that a user asks for: of hosts or of a pipeline, perhaps with a packet's way.
Pure.
"""

from __future__ import annotations

from attrs import evolve

from dvr_ryu.graph.hosts import hosts_picture
from dvr_ryu.graph.picture import Picture
from dvr_ryu.graph.pipeline import pipeline_picture
from dvr_ryu.graph.way import hosts_of, tables, way
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.hops import Trace
from dvr_ryu.trace.network import Network


def of_hosts(topology: Topology, host: str | None) -> Picture:
    """The picture of all hosts, or of one."""
    return hosts_picture(topology, [host] if host else None)


def of_pipeline(pipelines: Pipelines, bridge: str) -> Picture:
    """The picture of a bridge's tables."""
    return pipeline_picture(pipelines.by_bridge[bridge])


def of_trace(
    topology: Topology,
    pipelines: Pipelines,
    ends: tuple[str, str],
    host: str | None = None,
    bridge: str | None = None,
) -> Picture:
    """The picture of a packet's way: over all hosts that it passes, or in one host; or through the
    tables of a bridge. Raises UnknownEndpoint.
    """
    trace = Network(topology, pipelines).trace(*ends)
    if bridge is not None:
        pipeline = pipelines.by_bridge[bridge]
        return _with_way(pipeline_picture(pipeline), trace, tables(trace, pipeline, host))
    shown = [host] if host else hosts_of(trace)
    return _with_way(hosts_picture(topology, shown), trace, way(trace, shown))


def _with_way(picture: Picture, trace: Trace, ids: tuple[str, ...]) -> Picture:
    title = f"{picture.title}, from {trace.sender.name} to {trace.receiver.name}"
    return evolve(picture, title=title, way=ids, caption=str(trace.verdict))
