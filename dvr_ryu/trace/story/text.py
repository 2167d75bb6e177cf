"""Sets the lines of a story for a terminal or a file: headings, indents, columns. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dvr_ryu.errors import Location, printable
from dvr_ryu.trace.story.lines import Level, Line

_INDENTS = {
    Level.TITLE: 0,
    Level.HOST: 0,
    Level.NODE: 2,
    Level.STEP: 4,
    Level.CHANGE: 9,
    Level.NOTE: 9,
    Level.DEPARTURE: 4,
    Level.GOOD: 0,
    Level.BAD: 0,
}
_STYLES = {
    Level.TITLE: "bold",
    Level.HOST: "bold",
    Level.CHANGE: "cyan",
    Level.NOTE: "dim",
    Level.DEPARTURE: "bold red",
    Level.GOOD: "bold green",
    Level.BAD: "bold red",
}
_APART = {Level.HOST, Level.TITLE, Level.GOOD, Level.BAD}
"""The lines with an empty one before them."""


def render(lines: Iterable[Line], base: Path) -> RenderableType:
    """The story for people. Paths of files below `base` are printed relative to it."""
    lines = list(lines)
    in_tables = [each for each in lines if each.label]
    widths = [
        max((len(text(each)) for each in in_tables), default=0)
        for text in (
            lambda line: line.label.partition(" ")[2],
            lambda line: line_of(line.location, base),
        )
    ]
    parts: list[RenderableType] = []
    for number, line in enumerate(lines):
        text = Text(printable(line.text), style=_STYLES.get(line.level, ""))
        if number and line.level in _APART:
            parts.append(Text())
        if line.label:
            parts.append(_in_table(line, text, widths, base))
        else:
            parts.append(Padding(text, (0, 0, 0, _INDENTS[line.level])))
    return Group(*parts)


def _in_table(line: Line, text: Text, widths: Sequence[int], base: Path) -> RenderableType:
    number, _, name = line.label.partition(" ")
    columns = Table.grid(padding=(0, 2, 0, 0))
    columns.add_column(width=3, justify="right")
    columns.add_column(width=widths[0] + 2, no_wrap=True)
    columns.add_column(width=widths[1], no_wrap=True)
    columns.add_column(overflow="fold")
    columns.add_row(number, "  " * line.depth + name, line_of(line.location, base), text)
    return Padding(columns, (0, 0, 0, _INDENTS[Level.STEP]))


def line_of(location: Location | None, base: Path) -> str:
    """A line of a file for people: "flows/br-int.flows:36"."""
    if location is None:
        return ""
    file = Path(location.file)
    shown = file.relative_to(base) if file.is_relative_to(base) else file
    return printable(f"{shown}:{location.line}")
