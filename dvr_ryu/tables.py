"""Makes tables of text for people. Columns wrap, and no cell can control the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.table import Table
from rich.text import Text

from dvr_ryu.errors import printable

COLOURS = {"PASS": "green", "WARN": "yellow", "FAIL": "red"}
"""Text of a cell → its colour."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """A table without lines; on a terminal its columns wrap at spaces."""
    made = Table(box=None, header_style="bold")
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        made.add_row(*(Text(printable(cell), style=COLOURS.get(cell, "")) for cell in row))
    return made
