"""The experiments of flows/ are whole: no problem, no warning, and flows for every bridge."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dvr_ryu.lab.services.flows import require_valid
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.pipeline.tools import lint
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView

EXPERIMENTS = sorted(each for each in (flows_dir() / "experiments").iterdir() if each.is_dir())
EXAMPLES = sorted(examples_dir().glob("*.yaml"))
README = (flows_dir() / "experiments" / "README.rst").read_text(encoding="utf-8")

REFERENCE_LINES = {
    "table=0,priority=1,in_port=1 actions=resubmit(,1)",
    "table=1,priority=1,dl_vlan=2,dl_src=fa:16:3e:de:07:79 "
    "actions=set_field:fa:16:3f:02:d7:f2->eth_src,resubmit(,2)",
    "table=2,priority=0,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=resubmit(,20)",
    "table=2,priority=0,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=resubmit(,22)",
    "table=22,priority=32768,dl_vlan=2 actions=pop_vlan,set_field:0x1a->tun_id,output:2,output:3",
}
"""What the article types on server-233, as we print it."""

REFERENCE_LINES_68 = {
    "table=0,priority=1,in_port=3 actions=resubmit(,4)",
    "table=4,priority=1,tun_id=0x1a actions=mod_vlan_vid:2,resubmit(,9)",
    "table=9,priority=1,dl_src=fa:16:3f:02:d7:f2 actions=output:1",
}
"""And on server-68."""


@pytest.mark.parametrize("folder", EXPERIMENTS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.stem)
def test_experiment_fills_every_bridge_of_an_example(folder: Path, example: Path) -> None:
    topology = load_topology(example)
    require_valid(folder, topology)
    pipelines = load_pipelines(folder)
    for host in topology.hosts:
        view = HostView(topology, host)
        for bridge in pipelines.by_bridge:
            assert pipelines.planned(bridge, view).desired()


@pytest.mark.parametrize("folder", [flows_dir(), *EXPERIMENTS], ids=lambda folder: folder.name)
def test_experiment_raises_no_problem_and_no_warning(folder: Path) -> None:
    pipelines = load_pipelines(folder).by_bridge.values()
    assert [str(each) for pipeline in pipelines for each in lint.problems(pipeline)] == []


@pytest.mark.parametrize(
    ("host", "lines"), [("server-233", REFERENCE_LINES), ("server-68", REFERENCE_LINES_68)]
)
def test_article_has_the_lines_of_the_article(host: str, lines: set[str]) -> None:
    view = HostView(load_topology(examples_dir() / "human-defined-dvr.yaml"), host)
    pipelines = load_pipelines(flows_dir() / "experiments" / "article")
    flows = pipelines.planned("br-tun", view).flows()
    assert lines <= {str(flow) for flow in flows}


def test_copies_of_the_shipped_lines_have_not_drifted() -> None:
    """All of learn-only but tables' sentences is shipped; count-drops is, once its drops drop."""
    learn_only, count_drops = (flows_dir() / "experiments" / name for name in _COPIES)
    for file in ("br-int.flows", "br-tun.flows"):
        shipped = _code(flows_dir() / file)
        own = set(_code(learn_only / file)) - set(shipped)
        assert all(line.startswith("table ") for line in own)
        counting = re.sub(r"goto_table:DROP_\w+", "drop", "\n".join(_code(count_drops / file)))
        assert counting.partition("\ntable 90 ")[0] == "\n".join(shipped)


_COPIES = ("learn-only", "count-drops")


def _code(file: Path) -> list[str]:
    lines = map(str.strip, file.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def test_readme_tells_of_every_experiment() -> None:
    titles = re.findall(r"^(.+)\n-+$", README, re.MULTILINE)
    assert sorted(titles) == [folder.name for folder in EXPERIMENTS]
