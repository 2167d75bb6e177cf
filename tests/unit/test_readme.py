"""README.rst says what is so: its picture, its flow lines, its topology and its counts of flows are
the project's.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from dvr_ryu.pipeline.compile.pipelines import load_pipelines
from dvr_ryu.pipeline.language.syntax import read_pipeline
from dvr_ryu.reconcile import subtract
from dvr_ryu.switch.changes import by_table
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.rst").read_text(encoding="utf-8")
EXPERIMENTS = (ROOT / "flows" / "experiments" / "README.rst").read_text(encoding="utf-8")
BR_TUN = ROOT / "flows" / "br-tun.flows"


def test_picture_has_the_tables_of_br_tun() -> None:
    picture = README.partition(".. picture of br-tun")[2].partition("The flows are in")[0]
    drawn = set(re.findall(r"\b(\d+) ([A-Z][A-Z_]+)\b", picture))
    assert drawn == {(str(each.number), each.name) for each in read_pipeline(BR_TUN).tables}


def test_quoted_flow_lines_are_those_of_flows() -> None:
    flows = " ".join(BR_TUN.read_text(encoding="utf-8").split())
    quoted = re.findall(r"^    flows/ ((?:.*\n)+?)    shown ", README, re.MULTILINE)
    lines = [" ".join(line.split()) for quote in quoted for line in quote.splitlines()]
    assert len(quoted) == 7
    assert [line for line in lines if line not in flows] == []


def test_topology_of_the_tour_is_a_topology(tmp_path: Path) -> None:
    tour = re.search(r"code-block:: yaml\n\n((?:    .*\n|\n)+)", README)
    assert tour
    (tmp_path / "tour.yaml").write_text(textwrap.dedent(tour[1]), encoding="utf-8")
    assert set(load_topology(tmp_path / "tour.yaml").instances) == {"cirros", "vm-64"}


_IN_SYNC = re.compile(
    r"    (\S+)/(\S+) in sync: (\d+) flows, (\d+ added, \d+ changed, \d+ removed) in [\d.]+ ms "
    r"\((.*?)(?:, \.\.\.)?\)"
)


@pytest.mark.parametrize(("text", "expected"), [(README, 4), (EXPERIMENTS, 2)])
def test_counts_of_flows_are_those_that_the_controller_says(text: str, expected: int) -> None:
    """After a fill of an empty bridge, and after a change from the shipped flows to an experiment;
    of an edit, only how many flows there are.
    """
    topology = load_topology(ROOT / "examples" / "human-defined-dvr.yaml")
    shipped = ROOT / "flows"
    folder, checked = shipped, 0
    for line in text.splitlines():
        if command := re.match(r"    \$ sudo \S*dvr lab flows (\S+)", line):
            folder = ROOT / command[1]
        if not (said := _IN_SYNC.match(line)):
            continue
        host, bridge, total, counts, tables = said.groups()
        before, after = (
            load_pipelines(each).planned(bridge, HostView(topology, host)).wanted()
            for each in (shipped, folder)
        )
        assert int(total) == len(after), line
        if f"{total} added" in counts:
            before = {}
        change = subtract(after, before)
        if change:
            parts = (change.added, change.changed, change.removed)
            assert counts == "{} added, {} changed, {} removed".format(*map(len, parts)), line
            assert by_table(change).startswith(tables), (line, by_table(change))
        checked += 1
    assert checked == expected


def test_pipelines_have_as_many_lines_as_the_controller_says() -> None:
    said = re.findall(r"/([\w-]+\.flows): (\d+) tables, (\d+) lines", README)
    assert said
    for name, tables, lines in said:
        pipeline = read_pipeline(ROOT / "flows" / name)
        assert (int(tables), int(lines)) == (len(pipeline.tables), len([*pipeline.flows()]))
