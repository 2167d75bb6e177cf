"""Flows that get in each other's way: overlaps that differ, and flows that no packet reaches."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from attrs import evolve

from dvr_ryu.errors import Problem
from dvr_ryu.pipeline.flow import Flow
from dvr_ryu.pipeline.lint.packets import Packets, packets_of
from dvr_ryu.pipeline.operands import port_list
from dvr_ryu.pipeline.syntax import Table


def overlaps(table: Table) -> Iterator[Problem]:
    """Two flows that have one priority, match some same packet and do different things: which of
    them a switch applies is not defined (OpenFlow 1.4, 6.4).
    """
    flows = [(flow, packets_of(flow)) for flow in table.flows()]
    for (first, its), (second, others) in combinations(flows, 2):
        if first.priority == second.priority and _differ(first, second) and its.may_meet(others):
            assert first.place and second.place
            message = (
                f"has the priority of line {first.place.line} and can match the same packets, "
                "with other actions; give one of them a higher priority"
            )
            yield Problem(second.place, message)


def _differ(first: Flow, second: Flow) -> bool:
    return (first.actions, first.goto) != (second.actions, second.goto)


def shadows(table: Table) -> Iterator[Problem]:
    """Flows whose every packet one other flow takes, whatever the topology.

    A flow whose port a bridge lacks is left out, but only until the port is there; a list of ports
    may stay empty, so a flow that has one is not counted on.
    """
    flows = [
        (at, relation, flow, packets_of(flow))
        for at, (relation, flow) in enumerate(table.flows_with_relations())
    ]
    for at, relation, flow, packets in flows:
        for other_at, other_relation, other, others in flows:
            if (
                _comes_first(other, other_at, flow, at)
                and other_relation in (None, relation)
                and _is_there(other, flow)
                and packets.all_in(others)
            ):
                yield _shadowed(flow, packets, other, others)
                break


def _comes_first(first: Flow, at: int, second: Flow, second_at: int) -> bool:
    """Whether the first wins over the second, or is the same but for its match and stands before
    it.
    """
    if first.priority != second.priority:
        return first.priority > second.priority
    return at < second_at and evolve(first, match=second.match) == second


def _is_there(first: Flow, second: Flow) -> bool:
    """Whether the first is on the bridge wherever the second is."""
    return port_list(first) in (None, port_list(second))


def _shadowed(flow: Flow, packets: Packets, other: Flow, others: Packets) -> Problem:
    assert flow.place and other.place
    line = other.place.line
    if flow.priority == other.priority:
        message = f"is not needed: line {line} does the same with all its packets; remove it"
    elif packets == others:
        message = (
            f"is never reached: line {line} matches the same packets with priority "
            f"{other.priority}; remove one of them"
        )
    else:
        message = (
            f"is never reached: line {line} takes all its packets with priority {other.priority}; "
            f"give it a higher priority than that, or remove it"
        )
    return Problem(flow.place, message, warning=True)
