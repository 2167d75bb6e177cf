"""dvr_ryu/pipeline/compile/README.rst: its line makes the values and bytes that the page shows."""

from __future__ import annotations

import doctest
from pathlib import Path

from dvr_ryu.pipeline import compile as room

README = Path(room.__file__).with_name("README.rst")


def test_the_line_on_its_way() -> None:
    failures, tried = doctest.testfile(str(README), module_relative=False, encoding="utf-8")
    assert (failures, tried > 20) == (0, True)


def test_every_file_is_listed() -> None:
    text = README.read_text()
    files = {each.name for each in README.parent.glob("*.py")} - {"__init__.py"}
    assert {name for name in files if f"``{name}``" not in text} == set()
