"""Computes the graph of tables: the tables to which a table's flows send packets."""

from __future__ import annotations

from dvr_ryu.pipeline.language.operands import nodes
from dvr_ryu.pipeline.language.pipeline import Table


def next_tables(table: Table) -> list[int]:
    """The numbers of the other tables that a packet can reach next from this one, in order.

    They are the attribute `table` of actions, also within other actions. learn() has none: it adds
    a flow to its table but sends no packet there.
    """
    parts = (node for flow in table.flows() for node in nodes((flow.actions, flow.goto)))
    numbers = {getattr(part, "table", None) for part in parts}
    return sorted(number for number in numbers if number not in (None, table.number))
