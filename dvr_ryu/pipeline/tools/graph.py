"""Computes the graph of tables: where a table's flows send packets, to other tables and beyond."""

from __future__ import annotations

from dvr_ryu.pipeline.language.actions import Learn, Output
from dvr_ryu.pipeline.language.numbers import PORT
from dvr_ryu.pipeline.language.operands import nodes, written
from dvr_ryu.pipeline.language.pipeline import Table


def next_tables(table: Table) -> list[int]:
    """The numbers of the other tables that a packet can reach next from this one, in order.

    They are the attribute `table` of actions, also within other actions. learn() has none: it adds
    a flow to its table but sends no packet there.
    """
    parts = (node for flow in table.flows() for node in nodes((flow.actions, flow.goto)))
    numbers = {getattr(part, "table", None) for part in parts}
    return sorted(number for number in numbers if number not in (None, table.number))


def ends(table: Table) -> list[str]:
    """The other things that a table's flows do with a packet, each once."""
    found: dict[str, None] = {}
    for flow in table.flows():
        for action in flow.actions:
            if isinstance(action, Learn):
                found[f"learn flows of table {action.learned_table}"] = None
            elif isinstance(action, Output):
                found[f"to {written(PORT, action.port)}"] = None
        if flow.drops:
            found["drop"] = None
    return list(found)
