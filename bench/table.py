"""Makes tables of the figures: for a terminal, and for bench/README.rst."""

from __future__ import annotations

from collections.abc import Iterable

from rich.table import Table

from bench.figures import Figure

HEADINGS = ("what", "ours", "peer", "by", "ratio", "goal", "met")
_RIGHT = {1, 2, 4}
_MET = {True: "yes", False: "no", None: ""}


def row(figure: Figure) -> tuple[str, ...]:
    """The cells of a figure, under HEADINGS."""
    return (
        figure.name,
        amount(figure.ours, figure.unit),
        "" if figure.peer is None else amount(figure.peer, figure.unit),
        figure.peer_name,
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        figure.goal_text(),
        _MET[figure.met],
    )


def amount(number: float, unit: str) -> str:
    """A number with three digits or its whole part, with its unit."""
    digits = max(0, 3 - len(str(int(number)))) if number % 1 else 0
    return f"{number:.{digits}f} {unit}".rstrip()


def terminal(figures: Iterable[Figure]) -> Table:
    """The table for a terminal; a figure that misses its goal is red."""
    table = Table()
    for at, heading in enumerate(HEADINGS):
        table.add_column(heading, justify="right" if at in _RIGHT else "left")
    for figure in figures:
        table.add_row(*row(figure), style="red" if figure.met is False else None)
    return table


def restructured(figures: Iterable[Figure]) -> str:
    """The table as reStructuredText."""
    rows = [HEADINGS, *map(row, figures)]
    widths = [max(len(cells[at]) for cells in rows) for at in range(len(HEADINGS))]
    ruler = "  ".join("=" * max(width, 2) for width in widths)
    lines = [
        "  ".join(f"{cell:{max(width, 2)}}" for cell, width in zip(cells, widths, strict=True))
        for cells in rows
    ]
    return (
        "\n".join([ruler, lines[0].rstrip(), ruler, *(each.rstrip() for each in lines[1:]), ruler])
        + "\n"
    )
