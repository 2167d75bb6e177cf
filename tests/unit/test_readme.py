"""README.rst says what is so: its picture, its flow lines and its topology are the project's."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

from dvr_ryu.pipeline.syntax import read_pipeline
from dvr_ryu.topology.loading import load_topology

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.rst").read_text(encoding="utf-8")
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
