"""`python -m bench [PART ...]` measures, prints a table, and writes it if all parts were measured.

The exit code is the number of parts that could not be measured; the figures do not change it.
"""

from __future__ import annotations

import sys
from importlib import import_module

from rich.console import Console

from bench import report
from bench.figures import Figure
from bench.table import terminal

PARTS = (
    "fill",
    "start",
    "change",
    "reconnect",
    "many",
    "fairness",
    "scrape",
    "companion",
    "one_more",
    "prove",
    "datapath",
)
"""Modules with measure(), in the order of the table."""


def main(arguments: list[str]) -> int:
    """Measure the named parts, or all parts; return the exit code."""
    if unknown := set(arguments) - set(PARTS):
        raise SystemExit(f"there is no {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    parts = arguments or PARTS
    console, figures, failed = Console(), list[Figure](), list[str]()
    with console.status("") as status:
        for part in parts:
            status.update(f"measuring {part}")
            try:
                figures += import_module(f"bench.{part}").measure()
            except Exception:  # a failing part must not cost the figures of others
                console.print_exception()
                failed.append(part)
    console.print(terminal(figures))
    if failed:
        console.print(f"could not be measured: {', '.join(failed)}")
    elif set(parts) == set(PARTS):
        report.write(figures)
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
