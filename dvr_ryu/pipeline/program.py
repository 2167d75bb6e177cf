"""All the pipelines of a flows/ folder, compiled, and what they make of a host's view: the flows of
a bridge.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from dvr_ryu.errors import DvrError, FileError, Problem
from dvr_ryu.pipeline import lint
from dvr_ryu.pipeline.binding import NoSuchPort, Ports, getter
from dvr_ryu.pipeline.flow import Flow
from dvr_ryu.pipeline.operands import ValueOf, fill
from dvr_ryu.pipeline.syntax import Pipeline, read_pipeline
from dvr_ryu.pipeline.template import Template
from dvr_ryu.topology.relations import ThisHost
from dvr_ryu.topology.view import HostView


class Wanted(NamedTuple):
    """What one identity shall say, and the line of flows/ that says so."""

    value: bytes
    flow: Flow


class Program:
    """The compiled pipelines, by bridge."""

    def __init__(self, pipelines: tuple[Pipeline, ...]) -> None:
        self.pipelines = {pipeline.bridge: pipeline for pipeline in pipelines}
        self._templates = {
            pipeline.bridge: [(relation, Template(flow)) for relation, flow in pipeline.flows()]
            for pipeline in pipelines
        }

    def wanted(self, bridge: str, view: HostView, ports: Ports) -> dict[bytes, Wanted]:
        """Identity → value of every flow that the bridge shall have, given the ports that it has.

        A flow that names a port which is not there yet is left out. Raises FileError where two
        lines, filled, make flows of one identity that do different things.
        """
        wanted: dict[bytes, Wanted] = {}
        host = view.this_host
        for relation, template in self._templates.get(bridge, []):
            for row in _rows(view, relation):
                try:
                    identity, value = template.filled(row, host, ports)
                except NoSuchPort:
                    continue
                other = wanted.setdefault(identity, Wanted(value, template.flow))
                if other.value != value:
                    raise _contradiction(other.flow, template.flow, row)
        return wanted

    def flows(self, bridge: str, view: HostView, ports: Ports) -> Iterator[Flow]:
        """The same flows as values that can be printed, in the order of the file."""
        pipeline = self.pipelines[bridge]
        for relation, flow in pipeline.flows():
            for row in _rows(view, relation):
                try:
                    yield fill(flow, _numbers(row, view.this_host, ports))
                except NoSuchPort:
                    continue


def _numbers(row: Any, host: ThisHost, ports: Ports) -> ValueOf:
    return lambda unknown: getter(unknown)(row, host, ports)


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

    Raises FileError with all problems of all files, DvrError where there is no flow file.
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
    if any(not problem.warning for problem in problems):
        raise FileError(problems)
    return Program(tuple(pipelines))
