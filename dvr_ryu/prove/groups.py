"""Puts findings together that have one cause: they end at one line of flows/, in one way. Pure."""

from __future__ import annotations

from collections.abc import Hashable, Iterable

from attrs import frozen

from dvr_ryu.errors import Location
from dvr_ryu.pipeline.run.steps import Step as FlowStep
from dvr_ryu.prove.findings import Fault, Finding
from dvr_ryu.trace.hops import Trace


@frozen
class Group:
    """Findings of one kind. The first is the example, because its way is the shortest."""

    fault: Fault
    findings: tuple[Finding, ...]

    @property
    def example(self) -> Finding:
        """The finding to show."""
        return self.findings[0]


def groups(findings: Iterable[Finding]) -> list[Group]:
    """The findings in groups, in the order of the kinds of faults, large groups first."""
    found: dict[tuple[Fault, Hashable], list[Finding]] = {}
    for each in findings:
        found.setdefault((each.fault, _place(each)), []).append(each)
    order = [*Fault]
    ordered = sorted(found.items(), key=lambda item: (order.index(item[0][0]), -len(item[1])))
    return [
        Group(fault, tuple(sorted(some, key=lambda each: len(decisive(each.trace).hops))))
        for (fault, _), some in ordered
    ]


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


def _place(finding: Finding) -> Hashable:
    location = ending_line(finding.trace)
    if location is not None:
        return location.file, location.line
    trace = decisive(finding.trace)
    return trace.verdict.outcome, trace is finding.trace
