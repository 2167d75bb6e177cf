"""The pictures, flow lines, topologies and counts of flows in README.rst and docs/ are the
project's.
"""

from __future__ import annotations

import re
import textwrap
from pathlib import Path
from typing import Any

import pytest
import yaml

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.graph.asked import of_ways
from dvr_ryu.graph.drawing import draw
from dvr_ryu.pipeline.language.syntax import read_pipeline
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.reconcile import subtract
from dvr_ryu.switch.changes import by_table
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView

ROOT = Path(__file__).parents[2]
BR_TUN = ROOT / "flows" / "br-tun.flows"


def written(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def test_readme_is_a_front_porch() -> None:
    assert len(written("README.rst").splitlines()) <= 220


def test_picture_of_a_host_has_names_that_the_host_has() -> None:
    picture = written("README.rst").partition("::\n")[2].partition("A host on which")[0]
    topology = load_topology(ROOT / "examples" / "human-defined-dvr.yaml")
    view = HostView(topology, "server-233")
    present = str(desired_resources(view, "netdev"))
    drawn = set(
        re.findall(r"\b(?:vm|patch|vxlan)-\w+|\b(?:qdhcp|qrouter|fip|rfp|fpr)-|10\.[\d.]+", picture)
    )
    assert len(drawn) >= 11
    assert [name for name in drawn if name not in present and name != view.host.address] == []
    flow_files = re.findall(r"flows/\S+", picture)
    assert len(flow_files) == 2 and all((ROOT / each).is_file() for each in flow_files)


def test_picture_of_a_way_is_the_one_that_dvr_graph_draws() -> None:
    """But for the coordinates, which depend on Graphviz's release. `make docs` draws it anew."""
    topology = load_topology(ROOT / "examples" / "human-defined-dvr.yaml")
    pipelines = load_pipelines(ROOT / "flows")
    fresh = draw(of_ways(topology, pipelines, None, None, ("cirros", "vm-68")), "svg")
    assert without_coordinates(written("docs/_static/way.svg")) == without_coordinates(fresh)


def without_coordinates(svg: str) -> str:
    return re.sub(r'\b(x|y|width|height|d|viewBox)="[^"]*"', r'\1=""', svg)


def test_picture_of_the_architecture_has_the_folders_of_the_package() -> None:
    picture = written("docs/architecture.rst").partition("::\n")[2].partition("The folders are")[0]
    folders = set(re.findall(r"\b(\w+)/(?=\s)", picture))
    assert {"source", "topology", "language", "compile", "desired", "providers"} <= folders
    package = ROOT / "dvr_ryu"
    there = {each.name for each in package.rglob("*") if each.is_dir()}
    assert folders <= there
    assert all((package / f"{name}.py").is_file() for name in re.findall(r"\b(\w+)\.py\b", picture))


def test_picture_has_the_tables_of_br_tun() -> None:
    picture = written("docs/tour.rst").partition(".. picture of br-tun")[2]
    picture = picture.partition("The flows are in")[0]
    drawn = set(re.findall(r"\b(\d+) ([A-Z][A-Z_]+)\b", picture))
    assert drawn == {(str(each.number), each.name) for each in read_pipeline(BR_TUN).tables}


def test_quoted_flow_lines_are_those_of_flows() -> None:
    article = written("docs/article.rst")
    flows = " ".join(BR_TUN.read_text(encoding="utf-8").split())
    quoted = re.findall(r"^    flows/ ((?:.*\n)+?)    shown ", article, re.MULTILINE)
    lines = [" ".join(line.split()) for quote in quoted for line in quote.splitlines()]
    assert len(quoted) == 7
    assert [line for line in lines if line not in flows] == []


def test_location_of_the_warning_is_that_of_the_table() -> None:
    form = r"flows/br-tun.flows:(\d+):10: warning: no flow .*\n +(table 10 LEARN_FROM_TUN .*)\n"
    ((line, quoted),) = re.findall(form, written("docs/tour.rst"))
    assert BR_TUN.read_text().splitlines()[int(line) - 1] == quoted


def test_kinds_of_the_article_are_classes_of_resources() -> None:
    sources = [each.read_text() for each in ROOT.glob("dvr_ryu/companion/resources/**/*.py")]
    named = re.findall(r"^    kind    (.+)$", written("docs/article.rst"), re.MULTILINE)
    kinds = {kind for line in named for kind in line.split(", ")}
    classes = {name for text in sources for name in re.findall(r"^class (\w+)", text, re.MULTILINE)}
    assert {"Address", "Chain", "Device", "Route", "Rule"} == kinds <= classes


@pytest.mark.parametrize(
    ("document", "instances"),
    [
        ("README.rst", [{"a", "b"}, {"vm-64", "vm-68"}]),
        ("docs/topologies.rst", [{"cirros", "vm-64"}]),
    ],
)
def test_topologies_can_be_typed(document: str, instances: list[set[str]], tmp_path: Path) -> None:
    blocks = re.findall(r"code-block:: yaml\n\n((?:    .*\n|\n)+)", written(document))
    for block in blocks:
        (tmp_path / "lab.yaml").write_text(textwrap.dedent(block), encoding="utf-8")
        assert set(load_topology(tmp_path / "lab.yaml").instances) == instances.pop(0)
    assert not instances


def test_the_plugged_instance_fits_into_the_topology_before_it(tmp_path: Path) -> None:
    before, _, section = written("README.rst").partition("Plug in your own VM")
    block = re.findall(r"code-block:: yaml\n\n((?:    .*\n|\n)+)", before)[-1]
    line = re.search(r"^      vm: .*$", section, re.MULTILINE)
    assert line
    (tmp_path / "lab.yaml").write_text(f"{textwrap.dedent(block.rstrip())}\n{line[0][4:]}\n")
    vm = load_topology(tmp_path / "lab.yaml").instances["vm"]
    assert (vm.guest, vm.host) == ("plugged", "server-64")


@pytest.mark.parametrize(
    ("page", "example"), [("routing", "shapes"), ("dhcp", "dhcp"), ("north-south", "north-south")]
)
def test_parts_of_examples_on_pages_are_in_the_examples(page: str, example: str) -> None:
    block = re.search(r"code-block:: yaml\n\n((?:    .*\n|\n)+)", written(f"docs/{page}.rst"))
    assert block
    shown = yaml.safe_load(textwrap.dedent(block[1]))
    assert is_part(shown, yaml.safe_load(written(f"examples/{example}.yaml")))


def is_part(part: Any, whole: Any) -> bool:
    """Whether a value has nothing that the other lacks; `[...]` matches any list."""
    if isinstance(part, dict):
        return all(key in whole and is_part(value, whole[key]) for key, value in part.items())
    if isinstance(part, list) and part != ["..."]:
        return all(any(is_part(each, other) for other in whole) for each in part)
    return part == ["..."] or bool(part == whole)


_IN_SYNC = re.compile(
    r"    (\S+)/(\S+) in sync: (\d+) flows, (\d+ added, \d+ changed, \d+ removed) in [\d.]+ ms "
    r"\((.*?)(?:, \.\.\.)?\)"
)


@pytest.mark.parametrize(
    ("document", "expected"),
    [("docs/tour.rst", 3), ("docs/operations.rst", 1), ("flows/experiments/README.rst", 2)],
)
def test_counts_of_flows_are_those_that_the_controller_says(document: str, expected: int) -> None:
    """Counts after a fill of an empty bridge, and after a change from the shipped flows to an
    experiment; of an edit, only the number of flows.
    """
    topology = load_topology(ROOT / "examples" / "human-defined-dvr.yaml")
    shipped = ROOT / "flows"
    folder, checked = shipped, 0
    for line in written(document).splitlines():
        if command := re.match(r"    \$ sudo \S*dvr lab flows (\S+)", line):
            folder = ROOT / command[1]
        if not (found := _IN_SYNC.match(line)):
            continue
        host, bridge, total, counts, tables = found.groups()
        before, after = (
            load_pipelines(each).planned(bridge, HostView(topology, host)).desired()
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
    found = re.findall(
        r"/([\w-]+\.flows): (\d+) tables, (\d+) lines", written("docs/operations.rst")
    )
    assert found
    for name, tables, lines in found:
        pipeline = read_pipeline(ROOT / "flows" / name)
        assert (int(tables), int(lines)) == (len(pipeline.tables), len([*pipeline.flows()]))
