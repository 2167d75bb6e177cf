"""All the pipelines of a flows/ folder, compiled, and what they make of a host's view: the flows of
a bridge.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from attrs import evolve

from dvr_ryu.errors import DvrError, FileError, Problem
from dvr_ryu.pipeline import lint
from dvr_ryu.pipeline.binding import NoSuchPort, Ports, getter, said
from dvr_ryu.pipeline.flow import COOKIE, Flow
from dvr_ryu.pipeline.operands import fill
from dvr_ryu.pipeline.syntax import Pipeline, read_pipeline
from dvr_ryu.pipeline.template import Template
from dvr_ryu.topology.model import Topology
from dvr_ryu.topology.relations import ThisHost
from dvr_ryu.topology.view import HostView


class Here(NamedTuple):
    """What all flows of one bridge are filled from, besides their rows."""

    host: ThisHost
    ports: Ports


class Wanted(NamedTuple):
    """What one identity shall say, the line of flows/ that says so, and the row that fills it."""

    value: bytes
    flow: Flow
    row: Any
    here: Here

    def filled(self) -> Flow:
        """The flow as a value that can be printed. Made only when it is asked for."""
        return _filled(self.flow, self.row, self.here)


class Program:
    """The compiled pipelines, by bridge, and what their writer should be warned of."""

    def __init__(self, pipelines: tuple[Pipeline, ...], warnings: tuple[Problem, ...] = ()) -> None:
        self.pipelines = {pipeline.bridge: pipeline for pipeline in pipelines}
        self.warnings = warnings
        self._templates = {
            pipeline.bridge: [(relation, Template(flow)) for relation, flow in pipeline.flows()]
            for pipeline in pipelines
        }

    @property
    def cookies(self) -> frozenset[int]:
        """What marks flows on a switch as ours: our cookie, and those that lines name. Not 0: it is
        what anybody's flow has whose cookie nobody named.
        """
        flows = (flow for pipeline in self.pipelines.values() for _, flow in pipeline.flows())
        return frozenset({COOKIE, *(flow.cookie for flow in flows)}) - {0}

    def wanted(self, bridge: str, view: HostView, ports: Ports) -> dict[bytes, Wanted]:
        """Identity → value of every flow that the bridge shall have, given the ports that it has.

        A flow that names a port which is not there yet is left out. Raises FileError where two
        lines, filled, make flows of one identity that do different things.
        """
        wanted: dict[bytes, Wanted] = {}
        host = view.this_host
        here = Here(host, ports)
        for relation, template in self._templates.get(bridge, []):
            for row in _rows(view, relation):
                try:
                    identity, value = template.filled(row, host, ports)
                except NoSuchPort:
                    continue
                other = wanted.setdefault(identity, Wanted(value, template.flow, row, here))
                if other.value != value:
                    raise _contradiction(other.flow, template.flow, row)
        return wanted

    def require_fit(self, topology: Topology) -> None:
        """Raise FileError, as `wanted` does, if it would on any host that the topology has."""
        for host in topology.hosts:
            view = HostView(topology, host)
            for bridge in self.pipelines:
                self.wanted(bridge, view, view.planned_ofports(bridge))

    def flows(self, bridge: str, view: HostView, ports: Ports) -> Iterator[Flow]:
        """The same flows as values that can be printed, in the order of the file."""
        here = Here(view.this_host, ports)
        for relation, flow in self.pipelines[bridge].flows():
            for row in _rows(view, relation):
                try:
                    yield _filled(flow, row, here)
                except NoSuchPort:
                    continue

    def lines(self, bridge: str, view: HostView) -> Iterator[str]:
        """The flows as `ovs-ofctl add-flows` takes them, sorted; ports have their planned
        numbers.
        """
        flows = sorted(self.flows(bridge, view, view.planned_ofports(bridge)))
        return (flow.installed() for flow in flows)


def _filled(flow: Flow, row: Any, here: Here) -> Flow:
    """The flow for one row, and its sentence."""
    filled = fill(flow, lambda unknown: getter(unknown)(row, *here))
    return evolve(filled, sentence=said(flow.sentence, row, here.host))


def _rows(view: HostView, relation: str | None) -> tuple[Any, ...]:
    return (None,) if relation is None else getattr(view, relation)


def _contradiction(first: Flow, second: Flow, row: Any) -> FileError:
    assert first.place and second.place
    message = (
        f"for {row}, this is the same flow as that of line {first.place.line}, with other actions"
    )
    return FileError([Problem(second.place, message)])


def load_program(folder: Path) -> Program:
    """Read and check every *.flows file of a folder.

    Raises FileError with all problems of all files, DvrError where there is no flow file. What only
    deserves a warning is the program's `warnings`.
    """
    files = sorted(folder.glob("*.flows"))
    if not files:
        raise DvrError(f"{folder}: no flow files here (br-tun.flows, br-int.flows)")
    problems: list[Problem] = []
    pipelines: list[Pipeline] = []
    for file in files:
        try:
            pipelines.append(read_pipeline(file))
            problems += lint.problems(pipelines[-1])
        except FileError as error:
            problems += error.problems
    if errors := [problem for problem in problems if not problem.warning]:
        raise FileError(errors)
    return Program(tuple(pipelines), tuple(sorted(problems)))
