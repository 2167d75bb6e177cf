"""Compiles the pipelines of a flows/ folder. With a host's view they make a bridge's flows."""

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
    """The compiled pipelines, by bridge, and the warnings for their author."""

    def __init__(self, pipelines: tuple[Pipeline, ...], warnings: tuple[Problem, ...] = ()) -> None:
        self.by_bridge = {pipeline.bridge: pipeline for pipeline in pipelines}
        self.warnings = warnings
        self._lines: dict[str, Lines] = {
            pipeline.bridge: tuple((each, Template(flow)) for each, flow in pipeline.flows())
            for pipeline in pipelines
        }
        flows = [template.flow for lines in self._lines.values() for _, template in lines]
        self.cookies = frozenset({COOKIE, *(flow.cookie for flow in flows)}) - {0}
        """The cookies that mark flows on a switch as ours: our own, and those that lines name. 0 is
        not among them: every flow without a named cookie has it.
        """
        learns = (each for flow in flows for each in nodes(flow) if isinstance(each, Learn))
        self.learned = frozenset(each.cookie for each in learns) - {0}
        """The cookies of flows that switches learn, except 0."""

    def compile(self, lengths: Collection[int] = ()) -> None:
        """Compile every line now, so that no switch waits for it; a line with a list of ports, for
        lists of these lengths. Raises DvrError if a flow is longer than OpenFlow allows.
        """
        for lines in self._lines.values():
            for _, template in lines:
                template.compile(lengths)

    def basis(self, bridge: str, view: HostView, ports: Ports) -> Basis:
        """The basis of a bridge's flows, for the ports that the bridge has."""
        return Basis(self._lines.get(bridge, ()), view, ports)

    def planned(self, bridge: str, view: HostView) -> Basis:
        """The basis of a bridge's flows, for the ports that the companion plans."""
        return self.basis(bridge, view, view.planned_ofports(bridge))

    def require_fit(self, topology: Topology) -> None:
        """Raise FileError if lines contradict each other on any host of the topology."""
        for host in topology.hosts:
            for bridge in self.by_bridge:
                self.planned(bridge, HostView(topology, host)).desired()

    def lines(self, bridge: str, view: HostView, ports: Ports | None = None) -> Iterator[str]:
        """The flows as `ovs-ofctl add-flows` reads them, sorted, for these ports, or for those that
        the companion plans.
        """
        basis = self.planned(bridge, view) if ports is None else self.basis(bridge, view, ports)
        return (flow.installed() for flow in sorted(basis.flows()))
