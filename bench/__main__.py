"""`python -m bench [PART ...]`: measure, print a table, and if all parts were measured, write it.

The exit code is 0 whatever the figures are; another one tells how many parts could not be measured.
"""

from __future__ import annotations

import sys
from importlib import import_module

from rich.console import Console

from bench import report
from bench.figures import Figure
from bench.table import terminal

PARTS = ("fill", "start", "change", "reconnect", "many", "fairness", "companion", "one_more")
"""Each is a module with measure(), in the order of the table."""


def main(arguments: list[str]) -> int:
    """Measure the named parts, or all; return the exit code."""
    if unknown := set(arguments) - set(PARTS):
        raise SystemExit(f"there is no {', '.join(unknown)}; the parts are {', '.join(PARTS)}")
    parts = arguments or PARTS
    console, figures, failed = Console(), list[Figure](), list[str]()
    with console.status("") as status:
        for part in parts:
            status.update(f"measuring {part}")
            try:
                figures += import_module(f"bench.{part}").measure()
            except Exception:  # what one part cannot measure shall not cost the figures of others
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
