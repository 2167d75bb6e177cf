"""`python -m bench [PART ...]`: measure, print a table, and if all parts were measured, write it.

The exit code is 0 whatever the figures are; another one means that something could not be measured.
"""

from __future__ import annotations

import sys
from importlib import import_module

from rich.console import Console

from bench import report
from bench.figures import Figure
from bench.table import terminal

PARTS = ("fill", "start", "change", "reconnect", "many", "fairness", "companion")
"""Each is a module with measure(), in the order of the table."""


def main(words: list[str]) -> None:
    """Measure the named parts, or all."""
    if unknown := set(words) - set(PARTS):
        raise SystemExit(f"there is no {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    parts = words or PARTS
    console, figures = Console(), list[Figure]()
    with console.status("") as status:
        for part in parts:
            status.update(f"measuring {part}")
            for figure in import_module(f"bench.{part}").measure():
                figures.append(figure)
                status.update(f"measuring {part}: after {figure.name}")
    console.print(terminal(figures))
    if set(parts) == set(PARTS):
        report.write(figures)


if __name__ == "__main__":
    main(sys.argv[1:])
