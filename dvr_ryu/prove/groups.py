"""Puts findings together that have one cause: they end at one line of flows/, in one way. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from enum import Enum
from typing import Generic, Protocol, TypeVar

from attrs import frozen

from dvr_ryu.errors import Location
from dvr_ryu.pipeline.run.steps import Step as FlowStep
from dvr_ryu.prove.attempt import Attempt, Kind
from dvr_ryu.trace.hops import Trace


class Found(Protocol):
    """A finding about one topology, or a difference between two."""

    @property
    def kind(self) -> Enum:
        """Its kind; the value is a heading."""

    @property
    def attempt(self) -> Attempt:
        """The packet."""

    @property
    def trace(self) -> Trace:
        """The way that shows it."""

    @property
    def text(self) -> str:
        """What happens, in one line."""


AnyFound = TypeVar("AnyFound", bound=Found)


@frozen
class Group(Generic[AnyFound]):
    """Findings of one kind. The first is the example: a usual ping, whose way is the shortest."""

    kind: Enum
    findings: tuple[AnyFound, ...]

    @property
    def example(self) -> AnyFound:
        """The finding to show."""
        return self.findings[0]


def groups(findings: Iterable[AnyFound]) -> list[Group[AnyFound]]:
    """The findings in groups, in the order of their kinds, large groups first."""
    found: dict[tuple[Enum, Hashable], list[AnyFound]] = {}
    for each in findings:
        found.setdefault((each.kind, _cause(each)), []).append(each)

    def order(item: tuple[tuple[Enum, Hashable], list[AnyFound]]) -> tuple[int, int]:
        (kind, _), some = item
        return [*type(kind)].index(kind), -len(some)

    return [
        Group(kind, tuple(sorted(some, key=_length)))
        for (kind, _), some in sorted(found.items(), key=order)
    ]


def _length(found: Found) -> tuple[bool, bool, int]:
    attempt = found.attempt
    unusual = attempt.kind is not Kind.PACKET, attempt.size is not None
    return (*unusual, len(found.trace.hops) + len(decisive(found.trace).hops))


def decisive(trace: Trace) -> Trace:
    """The trace in which a packet is lost: that of the answer, if the packet itself arrived."""
    if trace.verdict.delivered and trace.reply is not None and not trace.answered:
        return trace.reply
    return trace


def ending_line(trace: Trace) -> Location | None:
    """The line of flows/ at which a packet ends; None if it ends elsewhere."""
    trace = decisive(trace)
    if trace.verdict.delivered:
        return None
    steps = [step for step in trace.hops[trace.verdict.hop].steps if isinstance(step, FlowStep)]
    return steps[-1].location if steps else None


def _cause(found: Found) -> Hashable:
    """The line at which the packet ends; beside flows/, how it ends, and in which direction."""
    location = ending_line(found.trace)
    if location is not None:
        return location.file, location.line
    trace = decisive(found.trace)
    return trace.verdict.outcome, trace is found.trace
