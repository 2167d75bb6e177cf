"""Finds flows of a table that overlap with other actions, and flows that no packet reaches.

Flows are compared through `lint.classifier` and not each with each: a table may have tens of
thousands.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from dvr_ryu.errors import Problem
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.operands import Hole, port_list
from dvr_ryu.pipeline.language.pipeline import Table
from dvr_ryu.pipeline.tools.lint.classifier import EnclosingIndex, OverlapIndex
from dvr_ryu.pipeline.tools.lint.packets import Packets, packets_of


class _Indexed(NamedTuple):
    """A flow, its index in the table, its block's relation, its list of ports and its packets."""

    at: int
    relation: str | None
    flow: Flow
    ports: Hole | None
    packets: Packets


def problems_between(table: Table) -> Iterator[Problem]:
    """All problems and warnings between flows of a table."""
    flows = [
        _Indexed(at, relation, flow, port_list(flow), packets_of(flow))
        for at, (relation, flow) in enumerate(table.flows_with_relations())
    ]
    yield from _overlaps(flows)
    yield from _shadows(flows)


def _overlaps(flows: list[_Indexed]) -> Iterator[Problem]:
    """Flows of one priority that can match the same packet and have different actions: OpenFlow
    does not define which of them a switch applies (OpenFlow 1.4, 6.4). Each flow is reported once,
    with the first flow that it overlaps.
    """
    by_priority: dict[int, list[_Indexed]] = {}
    for each in flows:
        by_priority.setdefault(each.flow.priority, []).append(each)
    for equals in by_priority.values():
        earlier = OverlapIndex(_Actions, (each.packets for each in equals))
        for each in equals:
            found = [
                first for one in earlier.of(each.packets) if (first := one.with_other_actions(each))
            ]
            if found:
                yield _overlapping(each, min(found, key=_at))
            for one in earlier.buckets_of(each.packets):
                one.add(each)


def _at(indexed: _Indexed) -> int:
    return indexed.at


def _overlapping(second: _Indexed, first: _Indexed) -> Problem:
    assert first.flow.location and second.flow.location
    message = (
        f"this flow has the priority of line {first.flow.location.line} and can match the same "
        "packets, with other actions; give one of them a higher priority"
    )
    return Problem(second.flow.location, message)


class _Actions:
    """A bucket that keeps only its first flow, and the first flow with other actions. A flow whose
    actions differ from any other flow's of the bucket differs from one of these two.
    """

    def __init__(self) -> None:
        self._firsts: list[_Indexed] = []

    def add(self, indexed: _Indexed) -> None:
        if not self._firsts or (len(self._firsts) == 1 and self.with_other_actions(indexed)):
            self._firsts.append(indexed)

    def with_other_actions(self, indexed: _Indexed) -> _Indexed | None:
        """The first flow with other actions than this one."""
        return next((each for each in self._firsts if _does(each) != _does(indexed)), None)


def _does(indexed: _Indexed) -> tuple[Any, ...]:
    return indexed.flow.actions, indexed.flow.goto


def _shadows(flows: list[_Indexed]) -> Iterator[Problem]:
    """Flows all of whose packets another flow takes, for every topology.

    A bridge has no flow for a port that it lacks, but the port may still come. A list of ports may
    stay empty: a flow with such a list takes no packets for sure.
    """
    enclosing = EnclosingIndex(_Winners)
    for each in flows:
        enclosing.bucket_of(each.packets).add(each)
    for each in flows:
        found = [first for same in enclosing.of(each.packets) if (first := same.before(each))]
        if found:
            yield _shadowed(each, min(found, key=_at))


class _Winners:
    """A bucket of flows for the same packets, which holds only those that win over others."""

    def __init__(self) -> None:
        self._highest: dict[Any, _Indexed] = {}
        """Relation and list of ports → the flow of the highest priority."""
        self._same_actions: dict[Any, _Indexed] = {}
        """Relation, list of ports and all of a flow except its match → the first such flow."""

    def add(self, indexed: _Indexed) -> None:
        kind = indexed.relation, indexed.ports
        highest = self._highest.setdefault(kind, indexed)
        if indexed.flow.priority > highest.flow.priority:
            self._highest[kind] = indexed
        self._same_actions.setdefault((kind, *_but_match(indexed.flow)), indexed)

    def before(self, indexed: _Indexed) -> _Indexed | None:
        """A flow that takes all packets of this one, on every bridge that has this one: it has a
        higher priority, or it comes earlier and differs in the match only.
        """
        for kind in product({None, indexed.relation}, {None, indexed.ports}):
            highest = self._highest.get(kind)
            if highest and highest.flow.priority > indexed.flow.priority:
                return highest
            same = self._same_actions.get((kind, *_but_match(indexed.flow)))
            if same and same.at < indexed.at:
                return same
        return None


def _but_match(flow: Flow) -> tuple[Any, ...]:
    return flow.priority, flow.actions, flow.goto, flow.settings


def _shadowed(shadowed: _Indexed, by: _Indexed) -> Problem:
    flow, other = shadowed.flow, by.flow
    assert flow.location and other.location
    line = other.location.line
    if flow.priority == other.priority:
        message = (
            f"this flow is not needed: line {line} does the same with all its packets; remove it"
        )
    elif shadowed.packets == by.packets:
        message = (
            f"this flow is never reached: line {line} matches the same packets with priority "
            f"{other.priority}; remove one of them"
        )
    else:
        message = (
            f"this flow is never reached: line {line} takes all its packets with priority "
            f"{other.priority}; give it a higher priority than that, or remove it"
        )
    return Problem(flow.location, message, warning=True)
