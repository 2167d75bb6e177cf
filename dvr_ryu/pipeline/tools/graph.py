"""Which table leads where: the tables that a flow sends its packets on to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import fields, has

from dvr_ryu.pipeline.language.actions import Learn
from dvr_ryu.pipeline.language.pipeline import Table

_SAME_TABLE = 255
"""What a Nicira resubmit that names no table carries in place of its number."""


def next_tables(table: Table) -> list[int]:
    """The numbers of the other tables where a packet can go on from this one, in order."""
    numbers = {number for flow in table.flows() for number in _tables_in((flow.actions, flow.goto))}
    return sorted(numbers - {table.number, _SAME_TABLE})


def _tables_in(node: Any) -> Iterator[int]:
    """Whatever names a table goes there, within other actions too; only learn() does not: it puts a
    flow there.
    """
    if isinstance(node, tuple):
        for each in node:
            yield from _tables_in(each)
    elif has(type(node)) and not isinstance(node, Learn):
        if isinstance(table := getattr(node, "table", None), int):
            yield table
        for attribute in fields(type(node)):
            yield from _tables_in(getattr(node, attribute.name))
