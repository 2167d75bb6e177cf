"""Writes the figures of a whole run to bench/results.json and into the table of
bench/README.rst.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from bench.figures import Figure
from bench.table import restructured

FOLDER = Path(__file__).parent
BEGIN, END = ".. the last table begins\n", ".. the last table ends\n"
"""The lines of README.rst around the table."""


def write(figures: Iterable[Figure]) -> None:
    """Write both files."""
    measured = list(figures)
    objects = [figure.as_json() for figure in measured]
    results = json.dumps(objects, indent=2, ensure_ascii=False)
    (FOLDER / "results.json").write_text(f"{results}\n", encoding="utf-8")
    readme = FOLDER / "README.rst"
    renewed = with_table(readme.read_text(encoding="utf-8"), restructured(measured))
    readme.write_text(renewed, encoding="utf-8")


def with_table(readme: str, table: str) -> str:
    """The text with this table instead of its last one. Raises ValueError if it has none."""
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"no line {BEGIN!r}, followed by {END!r}")
    return f"{before}{begin}\n{table}\n{end}{after}"
