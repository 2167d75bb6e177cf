"""Finds tables that no packet reaches, and tables without a flow for some packets."""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.errors import Problem
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.pipeline.tools.graph import next_tables
from dvr_ryu.pipeline.tools.lint.packets import packets_of, take_all


def unvisited(pipeline: Pipeline) -> Iterator[Problem]:
    """Tables that no packet reaches from table 0. learn() adds flows to a table but sends no
    packet.
    """
    following = {table.number: next_tables(table) for table in pipeline.tables}
    if 0 not in following:
        message = "packets enter at table 0, and this file has none; number a table 0"
        yield Problem(pipeline.tables[0].location, message, warning=True)
        return
    reached, remaining = set[int](), [0]
    while remaining:
        number = remaining.pop()
        if number not in reached:
            reached.add(number)
            remaining += following.get(number, [])
    for table in pipeline.tables:
        if table.number not in reached:
            has_flow_to = any(table.number in numbers for numbers in following.values())
            how = "only tables that no packet reaches go" if has_flow_to else "no flow goes"
            message = (
                f"{how} to {table.name}; add goto_table:{table.name} where its packets come "
                "from, or remove the table"
            )
            yield Problem(table.location, message, warning=True)


def without_miss(pipeline: Pipeline) -> Iterator[Problem]:
    """Tables in which some packet may match no flow. Flows of a block do not count: a relation may
    have no rows.
    """
    for table in pipeline.tables:
        flows = (flow for relation, flow in table.flows_with_relations() if relation is None)
        if not take_all(packets_of(flow) for flow in flows):
            message = (
                f"{table.name} has no flow for some packets, so they are dropped; say so with "
                "miss: drop, or write another action"
            )
            yield Problem(table.location, message, warning=True)
