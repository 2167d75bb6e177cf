"""Flows that get in each other's way: overlaps that differ, and flows that no packet reaches.

Flows are compared through `lint.classes`, not each with each: a table may have tens of thousands.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from dvr_ryu.errors import Problem
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.operands import Hole, port_list
from dvr_ryu.pipeline.language.pipeline import Table
from dvr_ryu.pipeline.tools.lint.classifier import Around, Meeting
from dvr_ryu.pipeline.tools.lint.packets import Packets, packets_of


class _Placed(NamedTuple):
    """A flow, the relation of its block, its list of ports and the packets that it is for; `at`
    counts a table's flows.
    """

    at: int
    relation: str | None
    flow: Flow
    ports: Hole | None
    packets: Packets


def problems_between(table: Table) -> Iterator[Problem]:
    """All that is wrong between flows of a table."""
    flows = [
        _Placed(at, relation, flow, port_list(flow), packets_of(flow))
        for at, (relation, flow) in enumerate(table.flows_with_relations())
    ]
    yield from _overlaps(flows)
    yield from _shadows(flows)


def _overlaps(flows: list[_Placed]) -> Iterator[Problem]:
    """Two flows that have one priority, match some same packet and do different things: which of
    them a switch applies is not defined (OpenFlow 1.4, 6.4). Each flow is told of once, with the
    first that it overlaps.
    """
    by_priority: dict[int, list[_Placed]] = {}
    for each in flows:
        by_priority.setdefault(each.flow.priority, []).append(each)
    for equals in by_priority.values():
        earlier = Meeting(_Unlike, (each.packets for each in equals))
        for each in equals:
            found = [first for one in earlier.of(each.packets) if (first := one.unlike(each))]
            if found:
                yield _overlapping(each, min(found, key=_at))
            for one in earlier.holding(each.packets):
                one.add(each)


def _at(placed: _Placed) -> int:
    return placed.at


def _overlapping(second: _Placed, first: _Placed) -> Problem:
    assert first.flow.location and second.flow.location
    message = (
        f"this flow has the priority of line {first.flow.location.line} and can match the same "
        "packets, with other actions; give one of them a higher priority"
    )
    return Problem(second.flow.location, message)


class _Unlike:
    """Of flows that meet all the same packets: the first, and the first that does something else.
    One of them does something else than any flow that has an unlike one here.
    """

    def __init__(self) -> None:
        self._firsts: list[_Placed] = []

    def add(self, placed: _Placed) -> None:
        if not self._firsts or (len(self._firsts) == 1 and self.unlike(placed)):
            self._firsts.append(placed)

    def unlike(self, placed: _Placed) -> _Placed | None:
        """The first that does something else than this one."""
        return next((each for each in self._firsts if _does(each) != _does(placed)), None)


def _does(placed: _Placed) -> tuple[Any, ...]:
    return placed.flow.actions, placed.flow.goto


def _shadows(flows: list[_Placed]) -> Iterator[Problem]:
    """Flows whose every packet one other flow takes, whatever the topology.

    A flow whose port a bridge lacks is left out, but only until the port is there; a list of ports
    may stay empty, so a flow that has one is not counted on.
    """
    around = Around(_Same)
    for each in flows:
        around.exactly(each.packets).add(each)
    for each in flows:
        found = [first for same in around.of(each.packets) if (first := same.before(each))]
        if found:
            yield _shadowed(each, min(found, key=_at))


class _Same:
    """Flows that are for the same packets: those that win over others."""

    def __init__(self) -> None:
        self._highest: dict[Any, _Placed] = {}
        """Relation and list of ports → the flow of the highest priority."""
        self._alike: dict[Any, _Placed] = {}
        """The same, and all that a flow is but for its match → the first such flow."""

    def add(self, placed: _Placed) -> None:
        kind = placed.relation, placed.ports
        highest = self._highest.setdefault(kind, placed)
        if placed.flow.priority > highest.flow.priority:
            self._highest[kind] = placed
        self._alike.setdefault((kind, *_but_match(placed.flow)), placed)

    def before(self, placed: _Placed) -> _Placed | None:
        """A flow that takes the packets of this one, and is there wherever this one is: with a
        higher priority, or the same but for its match and earlier.
        """
        for kind in product({None, placed.relation}, {None, placed.ports}):
            highest = self._highest.get(kind)
            if highest and highest.flow.priority > placed.flow.priority:
                return highest
            alike = self._alike.get((kind, *_but_match(placed.flow)))
            if alike and alike.at < placed.at:
                return alike
        return None


def _but_match(flow: Flow) -> tuple[Any, ...]:
    return flow.priority, flow.actions, flow.goto, flow.settings


def _shadowed(shadowed: _Placed, by: _Placed) -> Problem:
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
