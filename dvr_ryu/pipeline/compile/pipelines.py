"""All the pipelines of a flows/ folder, compiled, and what they make of a host's view: the flows of
a bridge.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from dvr_ryu.errors import Problem
from dvr_ryu.pipeline.compile.basis import Basis, Lines
from dvr_ryu.pipeline.compile.binding import Ports
from dvr_ryu.pipeline.compile.template import Template
from dvr_ryu.pipeline.language.actions.learn import Learn
from dvr_ryu.pipeline.language.cookie import COOKIE
from dvr_ryu.pipeline.language.operands import nodes
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView


class Pipelines:
    """The compiled pipelines, by bridge, and what their writer should be warned of."""

    def __init__(self, pipelines: tuple[Pipeline, ...], warnings: tuple[Problem, ...] = ()) -> None:
        self.pipelines = {pipeline.bridge: pipeline for pipeline in pipelines}
        self.warnings = warnings
        self._lines: dict[str, Lines] = {
            pipeline.bridge: tuple((each, Template(flow)) for each, flow in pipeline.flows())
            for pipeline in pipelines
        }
        flows = [template.flow for lines in self._lines.values() for _, template in lines]
        self.cookies = frozenset({COOKIE, *(flow.cookie for flow in flows)}) - {0}
        """What marks flows on a switch as ours: our cookie, and those that lines name. Not 0: it is
        what anybody's flow has whose cookie nobody named.
        """
        learns = (each for flow in flows for each in nodes(flow) if isinstance(each, Learn))
        self.learned = frozenset(each.cookie for each in learns) - {0}
        """The cookies of flows that switches learn; without 0."""

    def compile(self, lengths: Collection[int] = ()) -> None:
        """Compile every line now, so that no switch waits for it: those with a list of ports for
        lists of these lengths. Raises DvrError where a flow is longer than OpenFlow allows.
        """
        for lines in self._lines.values():
            for _, template in lines:
                template.compile(lengths)

    def basis(self, bridge: str, view: HostView, ports: Ports) -> Basis:
        """What the flows of a bridge are made from, given the ports that it has."""
        return Basis(self._lines.get(bridge, ()), view, ports)

    def planned(self, bridge: str, view: HostView) -> Basis:
        """The same for the ports that the companion plans."""
        return self.basis(bridge, view, view.planned_ofports(bridge))

    def require_fit(self, topology: Topology) -> None:
        """Raise FileError if lines contradict each other on any host that the topology has."""
        for host in topology.hosts:
            for bridge in self.pipelines:
                self.planned(bridge, HostView(topology, host)).desired()

    def lines(self, bridge: str, view: HostView) -> Iterator[str]:
        """The flows as `ovs-ofctl add-flows` takes them, sorted; ports have their planned
        numbers.
        """
        return (flow.installed() for flow in sorted(self.planned(bridge, view).flows()))
