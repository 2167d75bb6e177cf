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


def of_ways(
    topology: Topology,
    pipelines: Pipelines,
    host: str | None,
    bridge: str | None,
    ends: tuple[str, str] | None,
) -> Picture:
    """The picture of a bridge's tables, or of hosts if there is no bridge. With `ends` it has the
    way of a ping, and without `host` all hosts on this way. Raises UnknownEndpoint.
    """
    if ends is None:
        return pipeline_picture(pipelines.by_bridge[bridge]) if bridge else of_hosts(topology, host)
    trace = Network(topology, pipelines).trace(*ends)
    if bridge:
        pipeline = pipelines.by_bridge[bridge]
        return _with_way(pipeline_picture(pipeline), trace, tables(trace, pipeline, host))
    shown = [host] if host else hosts_of(trace)
    return _with_way(hosts_picture(topology, shown), trace, way(trace, shown))


def _with_way(picture: Picture, trace: Trace, ids: tuple[str, ...]) -> Picture:
    title = f"{picture.title}, from {trace.sender.name} to {trace.receiver.name}"
    return evolve(picture, title=title, way=ids, caption=str(trace.verdict))
