"""The tables and the files of figures."""

from __future__ import annotations

import pytest

from bench.figures import Figure, Goal
from bench.report import BEGIN, END, with_table
from bench.table import amount, restructured

FIGURES = [
    Figure("fill", "ms", 130.4, 100, "raw bytes", Goal(1.3)),
    Figure("memory", "MiB", 198, goal=Goal(250, absolute=True)),
]


@pytest.mark.parametrize(
    ("number", "unit", "shown"),
    [
        (1433.4, "ms", "1433 ms"),
        (27.68, "ms", "27.7 ms"),
        (4.391, "ms", "4.39 ms"),
        (0.5, "ms", "0.50 ms"),
        (2, "", "2"),
    ],
)
def test_an_amount_has_three_digits(number: float, unit: str, shown: str) -> None:
    assert amount(number, unit) == shown


def test_the_table_of_the_readme() -> None:
    assert restructured(FIGURES).splitlines() == [
        "======  =======  ======  =========  =====  ===========  ===",
        "what    ours     peer    by         ratio  goal         met",
        "======  =======  ======  =========  =====  ===========  ===",
        "fill    130 ms   100 ms  raw bytes  1.30   ratio ≤ 1.3  no",
        "memory  198 MiB                            ≤ 250 MiB    yes",
        "======  =======  ======  =========  =====  ===========  ===",
    ]


def test_the_readme_gets_the_new_table_instead_of_the_old() -> None:
    text = with_table(f"above\n\n{BEGIN}\nold\n\n{END}\nbelow\n", "new\n")
    assert text == f"above\n\n{BEGIN}\nnew\n\n{END}\nbelow\n"


def test_a_readme_without_the_lines_of_the_table() -> None:
    with pytest.raises(ValueError, match="the last table begins"):
        with_table("above\n", "new\n")
