"""Computes the graph of tables: the tables to which a table's flows send packets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import fields, has

from dvr_ryu.pipeline.language.actions import Learn
from dvr_ryu.pipeline.language.pipeline import Table

_SAME_TABLE = 255
"""The table number in a Nicira resubmit that names no table."""


def next_tables(table: Table) -> list[int]:
    """The numbers of the other tables that a packet can reach next from this one, in order."""
    numbers = {number for flow in table.flows() for number in _tables_in((flow.actions, flow.goto))}
    return sorted(numbers - {table.number, _SAME_TABLE})


def _tables_in(node: Any) -> Iterator[int]:
    """The tables that actions name, also within other actions. learn() does not count: it adds a
    flow to its table but sends no packet there.
    """
    if isinstance(node, tuple):
        for each in node:
            yield from _tables_in(each)
    elif has(type(node)) and not isinstance(node, Learn):
        if isinstance(table := getattr(node, "table", None), int):
            yield table
        for attribute in fields(type(node)):
            yield from _tables_in(getattr(node, attribute.name))
