"""What is wrong with a topology is said at its place: all of it, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import yaml
from attrs import NOTHING, fields
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dvr_ryu.errors import SHOWN_COLUMNS, DvrError, FileError
from dvr_ryu.topology.loading import load_topology, parse_topology
from dvr_ryu.topology.spec.declaration import TopologySpec
from dvr_ryu.topology.spec.schema import Spec, key_of
from dvr_ryu.topology.spec.schema_errors import EXAMPLES as EXAMPLES_OF_KEYS
from dvr_ryu.topology.spec.schema_errors import declare
from dvr_ryu.topology.spec.yaml_nodes import Document
from tests.unit.topology.files import topology_file
from tests.unit.topology.spec.bad_topologies import BAD_TOPOLOGIES, MARK


def test_the_sections_that_the_cases_replace_are_right():
    assert parse_topology(topology_file(), "good.yaml").instances.keys() == {"a", "b"}


@pytest.mark.parametrize("case", BAD_TOPOLOGIES.values(), ids=BAD_TOPOLOGIES)
def test_each_problem_has_its_place_its_line_and_a_caret(case):
    marked, *phrases = case
    text, locations = _without_marks(marked)
    with pytest.raises(FileError) as raised:
        parse_topology(text, "bad.yaml")
    problems = raised.value.problems
    found = [(problem.location.line, problem.location.column) for problem in problems]
    assert found == locations, str(raised.value)
    for problem, phrase, (line, column) in zip(problems, phrases, locations, strict=True):
        assert phrase in problem.message
        source = text.split("\n")[line - 1]
        first, shown, caret = str(problem).split("\n")
        assert first == f"bad.yaml:{line}:{column}: {problem.message}"
        if len(source) <= SHOWN_COLUMNS and source.replace("\t", "").isprintable():
            assert shown == "  " + source.expandtabs(1)
            assert caret == "  " + " " * (column - 1) + "^"


def _without_marks(marked: str) -> tuple[str, list[tuple[int, int]]]:
    before, *rest = marked.split(MARK)
    locations = []
    for part in rest:
        locations.append((before.count("\n") + 1, len(before) - before.rfind("\n")))
        before += part
    return before, locations


WORDS_OF_VOLUPTUOUS = (
    "keys not allowed",
    "valid value",
    "not provided",
    "expected a ",
    "dictionary",
)


def test_no_message_has_words_of_a_library():
    for marked, *_ in BAD_TOPOLOGIES.values():
        with pytest.raises(FileError) as raised:
            parse_topology(marked.replace(MARK, ""), "bad.yaml")
        for problem in raised.value.problems:
            for word in WORDS_OF_VOLUPTUOUS:
                assert word not in problem.message


def _required(spec: Any) -> Iterator[str]:
    """The keys that a mapping of the file must have, and those of all mappings below it."""
    if isinstance(spec, type) and issubclass(spec, Spec):
        hints = get_type_hints(spec, include_extras=True)
        for field in fields(spec):
            if field.default is NOTHING:
                yield key_of(field)
            yield from _required(hints[field.name])
    for argument in get_args(spec):
        yield from _required(argument)


def test_of_every_key_that_may_be_missing_there_is_an_example():
    assert set(_required(TopologySpec)) <= set(EXAMPLES_OF_KEYS)


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
    assert (problem.location.line, problem.location.column) == (2, 6)
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
    assert [str(each.location) for each in raised.value.problems] == ["f:2:1", "f:3:1"]


EXAMPLES = sorted((Path(__file__).parents[4] / "examples").glob("*.yaml"))
JUNK: list[Any] = [
    None,
    True,
    0,
    -5,
    10**30,
    "",
    "x",
    "blue",
    "server-64",
    "external",
    "2.2.2.100",
    "fe80::1",
]
JUNK += [[], {}, ["a"], {"a": 1}, "fa:16:3e:35:25:42", "192.168.10.1", "192.168.10.0/24", "::/0"]


def _places(data: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in the data where a value stands: its container, and its key or index."""
    if isinstance(data, dict | list):
        for step in list(data) if isinstance(data, dict) else range(len(data)):
            yield data, step
            yield from _places(data[step])


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_mistake_of_the_schema_brings_no_others(drawn):
    """What the mistake keeps from being read does not make anything else look wrong."""
    data = yaml.safe_load(drawn.draw(st.sampled_from(EXAMPLES)).read_text())
    container, step = drawn.draw(st.sampled_from(list(_places(data))))
    junk = deepcopy(drawn.draw(st.sampled_from(JUNK)))
    # A section with other names is a mistake of each reference to its names as well.
    assume(not (container is data and isinstance(junk, dict)))
    container[step] = junk
    text = yaml.safe_dump(data)
    mistakes = declare(Document(text, "f")).problems
    assume(mistakes)
    with pytest.raises(FileError) as raised:
        parse_topology(text, "f")
    assert {*raised.value.problems} == {*mistakes}


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_whatever_stands_in_a_file_it_is_a_topology_or_has_problems_with_places(drawn):
    data = yaml.safe_load(drawn.draw(st.sampled_from(EXAMPLES)).read_text())
    for _ in range(drawn.draw(st.integers(1, 3))):
        container, step = drawn.draw(st.sampled_from(list(_places(data))))
        if drawn.draw(st.booleans()):
            del container[step]
        else:
            # A copy: the next round may damage what this one put in.
            container[step] = deepcopy(drawn.draw(st.sampled_from(JUNK)))
    text = yaml.safe_dump(data)
    try:
        parse_topology(text, "f")
    except FileError as error:
        for problem in error.problems:
            assert text.split("\n")[problem.location.line - 1] == problem.location.source
