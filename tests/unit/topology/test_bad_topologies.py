"""What is wrong with a topology is said at its place: all of it, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.errors import DvrError, FileError
from dvr_ryu.topology.loading import load_topology, parse_topology
from tests.unit.topology.bad_topologies import BAD_TOPOLOGIES, MARK
from tests.unit.topology.files import topology_file


def test_the_sections_that_the_cases_replace_are_right():
    assert parse_topology(topology_file(), "good.yaml").instances.keys() == {"a", "b"}


@pytest.mark.parametrize("case", BAD_TOPOLOGIES.values(), ids=BAD_TOPOLOGIES)
def test_each_problem_has_its_place_its_line_and_a_caret(case):
    marked, *phrases = case
    text, places = _without_marks(marked)
    with pytest.raises(FileError) as raised:
        parse_topology(text, "bad.yaml")
    problems = raised.value.problems
    found = [(problem.place.line, problem.place.column) for problem in problems]
    assert found == places, str(raised.value)
    for problem, phrase, (line, column) in zip(problems, phrases, places, strict=True):
        assert phrase in problem.message
        source = text.split("\n")[line - 1]
        first, shown, caret = str(problem).split("\n")
        assert first == f"bad.yaml:{line}:{column}: {problem.message}"
        assert shown == "  " + source.expandtabs(1)
        assert caret == "  " + " " * (column - 1) + "^"


def _without_marks(marked: str) -> tuple[str, list[tuple[int, int]]]:
    before, *rest = marked.split(MARK)
    places = []
    for part in rest:
        places.append((before.count("\n") + 1, len(before) - before.rfind("\n")))
        before += part
    return before, places


def test_no_message_has_words_of_a_library():
    for marked, *_ in BAD_TOPOLOGIES.values():
        with pytest.raises(FileError) as raised:
            parse_topology(marked.replace(MARK, ""), "bad.yaml")
        for problem in raised.value.problems:
            for word in ("pydantic", "Input should", "validation", "NoneType", "dict"):
                assert word not in problem.message


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path):
    for path in (tmp_path / "none.yaml", tmp_path):
        with pytest.raises(DvrError) as raised:
            load_topology(path)
        assert not isinstance(raised.value, FileError)
        assert str(raised.value).startswith(f"{path}: cannot be read: ")
        assert "\n" not in str(raised.value)


def test_bytes_that_are_not_text_have_a_place(tmp_path: Path):
    path = tmp_path / "latin.yaml"
    path.write_bytes("hosts: {}\n# caf\u00e9 \u00e9\n".encode("latin-1"))
    with pytest.raises(FileError) as raised:
        load_topology(path)
    (problem,) = raised.value.problems
    assert (problem.place.line, problem.place.column) == (2, 6)
    assert "UTF-8" in problem.message


def test_a_byte_order_mark_and_every_line_end_are_read(tmp_path: Path):
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + topology_file().replace("\n", "\r\n").encode())
    assert load_topology(path) == parse_topology(topology_file(), "unix.yaml")


def test_a_place_counts_characters_not_bytes():
    with pytest.raises(FileError) as raised:
        parse_topology(
            "hosts: {one: {address: 10.0.0.1}} # \u00e9\n\u00e9\u00e9: {}\n\u00e8: 1", "f"
        )
    assert [str(each.place) for each in raised.value.problems] == ["f:2:1", "f:3:1"]
