"""What is wrong with a flow file is said at its place: all of it, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.errors import DvrError, FileError, Problem
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.language.syntax import parse_pipeline
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from tests.unit.pipeline.language.bad_flows import BAD_FLOWS, MARK, table_with

SHIPPED = [path.read_text() for path in sorted(flows_dir().glob("*.flows"))]

SHOWN_WHOLE = 300
"""Characters: longer lines are cut around what is wrong."""

VIEW = HostView(load_topology(examples_dir() / "human-defined-dvr.yaml"), "server-233")
PORTS = {**VIEW.planned_ofports("br-tun"), **VIEW.planned_ofports("br-int")}


def _without_marks(marked: str) -> tuple[str, list[tuple[int, int]]]:
    before, *rest = marked.split(MARK)
    locations = []
    for part in rest:
        locations.append((before.count("\n") + 1, len(before) - before.rfind("\n")))
        before += part
    return before, locations


def _problems(folder: Path, text: str) -> tuple[str, tuple[Problem, ...]]:
    file = folder / "br-tun.flows"
    file.write_bytes(text.encode())
    with pytest.raises(FileError) as raised:
        load_pipelines(folder)
    assert str(raised.value) == "\n".join(map(str, raised.value.problems))
    return str(file), raised.value.problems


def test_there_are_many_cases():
    assert len(BAD_FLOWS) >= 50


@pytest.mark.parametrize("case", BAD_FLOWS.values(), ids=BAD_FLOWS)
def test_each_problem_has_its_location_its_line_and_a_caret(tmp_path: Path, case: tuple[str, ...]):
    marked, *phrases = case
    text, locations = _without_marks(marked)
    file, problems = _problems(tmp_path, text)
    found = [(problem.location.line, problem.location.column) for problem in problems]
    assert found == locations, "\n".join(map(str, problems))
    for problem, phrase, (line, column) in zip(problems, phrases, locations, strict=True):
        assert phrase in problem.message
        source = text.split("\n")[line - 1].removesuffix("\r")
        first, shown, caret = str(problem).split("\n")
        assert first == f"{file}:{line}:{column}: {problem.message}"
        if len(source) < SHOWN_WHOLE:
            assert shown == "  " + source.replace("\t", " ").replace("\x0c", "\\x0c")
            assert caret == "  " + " " * (column - 1) + "^"
        else:
            assert shown.strip(" …") in source and len(shown) < SHOWN_WHOLE
            assert shown[len(caret) - 1] == source[column - 1]


def test_no_message_names_python(tmp_path: Path):
    for marked, *_ in BAD_FLOWS.values():
        for problem in _problems(tmp_path, marked.replace(MARK, ""))[1]:
            for word in ("invalid literal", "None", "Kind.", "sys.", "struct"):
                assert word not in problem.message


def test_the_problems_of_all_files_are_reported_at_once(tmp_path: Path):
    (tmp_path / "br-int.flows").write_text("table 0 A\n  dl_vln=1 actions=drop\n")
    (tmp_path / "br-tun.flows").write_text("table 0 A\n  miss: drop\n  miss: NORMAL\n")
    with pytest.raises(FileError) as raised:
        load_pipelines(tmp_path)
    printed = [
        (Path(each.location.file).stem, each.location.line) for each in raised.value.problems
    ]
    assert printed == [("br-int", 2), ("br-tun", 3)]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing yet\n", "   # \\\n"])
def test_a_file_without_a_table_is_one_line(tmp_path: Path, text: str):
    file = tmp_path / "br-tun.flows"
    file.write_text(text)
    _one_line(tmp_path, f"{file}: no table in this file")


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path):
    _one_line(tmp_path, f"{tmp_path}: no flow files here")
    file = tmp_path / "br-tun.flows"
    file.mkdir()
    _one_line(tmp_path, f"{file}: cannot be read: ")


def test_what_is_no_text_is_named_where_it_stands(tmp_path: Path):
    file = tmp_path / "br-tun.flows"
    file.write_bytes("table 0 A\n# café\n".encode("latin-1"))
    with pytest.raises(FileError) as raised:
        load_pipelines(tmp_path)
    assert str(raised.value).startswith(f"{file}:2:6: is not UTF-8 text; save the file as UTF-8\n")


def _one_line(folder: Path, start: str) -> None:
    with pytest.raises(DvrError) as raised:
        load_pipelines(folder)
    assert not isinstance(raised.value, FileError)
    assert str(raised.value).startswith(start)
    assert "\n" not in str(raised.value)


def test_a_byte_order_mark_and_every_line_end_are_read(tmp_path: Path):
    for text, name in zip(SHIPPED, ("br-int", "br-tun"), strict=True):
        (tmp_path / f"{name}.flows").write_bytes(
            b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()
        )
    windows = {
        name: list(each.flows()) for name, each in load_pipelines(tmp_path).by_bridge.items()
    }
    ours = load_pipelines(flows_dir()).by_bridge
    assert windows == {name: list(each.flows()) for name, each in ours.items()}


def test_continuation_lines_are_joined_as_a_shell_joins_them():
    (relation, flow), *_ = parse_pipeline(
        table_with(
            "priority=1, arp\\\n  dl_vlan=4\\\n  actions=learn(table=20,\\\n in_port),output:1"
        ),
        "f",
        "br-tun",
    ).flows()
    assert relation is None
    assert (
        str(flow)
        == "table=0,priority=1,arp,dl_vlan=4 actions=learn(table=20,NXM_OF_IN_PORT[]),output:1"
    )


@pytest.mark.parametrize(
    "lines",
    [
        ("dl_vlan=3 actions=drop", "dl_vlan=4 actions=NORMAL"),
        ("arp actions=drop", "ip actions=NORMAL"),
        ("priority=2,arp actions=drop", "priority=3,arp actions=NORMAL"),
        ("dl_vlan=3 actions=drop", "arp actions=drop"),
        ("ip,nw_src=10.0.0.0/8 actions=drop", "ip,nw_src=11.0.0.0/8 actions=NORMAL"),
        (
            "dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=drop",
            "dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=NORMAL",
        ),
    ],
)
def test_flows_that_no_packet_or_no_priority_or_no_action_tells_apart_are_right(
    tmp_path: Path, lines: tuple[str, str]
):
    (tmp_path / "br-tun.flows").write_text(table_with("\n  ".join(lines)))
    load_pipelines(tmp_path)


PIECES = [
    "",
    " ",
    "\n",
    "\\\n",
    "\t",
    ",",
    "=",
    ":",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "/",
    '"',
    "#",
    "->",
]
PIECES += ["é", "\u00b2", "\u2028", "\x00", "0", "9" * 20, "-1", "0x", "1.2.3.4", "drop", "each x:"]
PIECES += ["table", "table 0 A", "each network:\n", "{network.flood}", "{host.dvr_mac}", "learn("]
PIECES += ["priority=1,", "miss:", "actions=", "goto_table:", "NXM_OF_IN_PORT[]", "output:", "arp,"]


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_whatever_is_damaged_it_is_a_pipeline_or_has_problems_with_locations(drawn: st.DataObject):
    text = drawn.draw(st.sampled_from(SHIPPED))
    for _ in range(drawn.draw(st.integers(1, 4))):
        start = drawn.draw(st.integers(0, len(text)))
        end = start + drawn.draw(st.sampled_from([0, 0, 1, 2, 5, 30, 200]))
        text = text[:start] + drawn.draw(st.sampled_from(PIECES) | st.text(max_size=4)) + text[end:]
    try:
        pipeline = parse_pipeline(text, "f", "br-tun")
    except FileError as error:
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        assert error.problems
        for problem in error.problems:
            assert lines[problem.location.line - 1] == problem.location.source
            assert 1 <= problem.location.column <= len(problem.location.source) + 1
        return
    # Two lines may still say different things of one flow: only rows can tell.
    with suppress(DvrError):
        Pipelines((pipeline,)).basis("br-tun", VIEW, PORTS).desired()
