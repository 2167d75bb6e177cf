"""docs/library.rst: its examples do what it says."""

from __future__ import annotations

import doctest
from pathlib import Path

LIBRARY = Path(__file__).parents[3] / "docs" / "library.rst"


def test_examples_of_the_library() -> None:
    failures, tried = doctest.testfile(str(LIBRARY), module_relative=False, encoding="utf-8")
    assert (failures, tried > 20) == (0, True)
