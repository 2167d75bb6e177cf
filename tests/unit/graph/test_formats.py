"""Each format takes every picture: Graphviz DOT, an XML parser SVG, a grammar the flowchart."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings

from dvr_ryu.errors import HostError, printable
from dvr_ryu.graph import graphviz
from dvr_ryu.graph.dot import dot
from dvr_ryu.graph.drawing import draw
from dvr_ryu.graph.geometry import geometry
from dvr_ryu.graph.hosts import hosts_picture
from dvr_ryu.graph.mermaid import mermaid
from dvr_ryu.graph.picture import Picture
from dvr_ryu.graph.pipeline import pipeline_picture
from dvr_ryu.graph.svg import svg
from dvr_ryu.graph.text import text
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.topology.topology import Topology
from tests.unit.graph.elements import all_ids, pictures_with_any_names
from tests.unit.pipeline.sites import Site, sites, topology

SVG = "{http://www.w3.org/2000/svg}"


def titles_of(document: str) -> dict[str, str]:
    """id → title, of all elements of an SVG that have ids. No id may occur twice."""
    root = ElementTree.fromstring(document)
    with_ids = [each for each in root.iter() if "id" in each.attrib and each.tag == f"{SVG}g"]
    counts = Counter(each.attrib["id"] for each in root.iter() if "id" in each.attrib)
    assert max(counts.values()) == 1
    return {each.attrib["id"]: each.findtext(f"{SVG}title", "") for each in with_ids}


def check_svg(picture: Picture) -> None:
    """Graphviz takes the picture without an error, and the SVG has all elements and titles."""
    drawn = subprocess.run(
        ["dot", "-Tsvg"], input=dot(picture).encode(), capture_output=True, timeout=60
    )
    assert (drawn.returncode, b"Error" in drawn.stderr) == (0, False), drawn.stderr
    layout = graphviz.laid_out(dot(picture))
    titles = titles_of(svg(picture, layout))
    assert titles.keys() == set(all_ids(picture))
    for box in picture.every_box:
        sizes, frame = geometry(box, picture.steps), layout.boxes[box.id]
        assert (sizes.width + 2, sizes.height + 2) == (frame.width, frame.height)
        for id, title in [(box.id, box.title), *((item.id, item.title) for item in box.items)]:
            assert titles[id] == "\n".join(printable(line) for line in title.split("\n"))


@settings(max_examples=25, deadline=None)
@given(site=sites)
def test_every_topology_can_be_drawn(site: Site) -> None:
    check_svg(hosts_picture(topology(site)))


@settings(max_examples=40, deadline=None)
@given(picture=pictures_with_any_names())
def test_any_names_can_be_drawn(picture: Picture) -> None:
    layout = graphviz.laid_out(dot(picture))
    assert titles_of(svg(picture, layout)).keys() == set(all_ids(picture))


def test_every_pipeline_can_be_drawn(pipelines: Pipelines) -> None:
    for pipeline in pipelines.by_bridge.values():
        check_svg(pipeline_picture(pipeline))


def test_items_are_in_their_box_and_do_not_overlap(article: Topology) -> None:
    for box in hosts_picture(article).every_box:
        sizes = geometry(box, {})
        rectangles = [*sizes.items.values()]
        assert all(each.x > 0 and each.right < sizes.width for each in rectangles)
        assert all(each.y > 0 and each.bottom < sizes.height for each in rectangles)
        for one in rectangles:
            for other in rectangles:
                apart = one.right < other.x or other.right < one.x
                assert one is other or apart or one.bottom < other.y or other.bottom < one.y


def test_without_graphviz_the_error_says_what_to_do(
    article: Topology, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    picture = hosts_picture(article)
    with pytest.raises(HostError, match="there is no program 'dot' here: install graphviz"):
        draw(picture, "svg")
    assert draw(picture, "dot").startswith("digraph")


# Mermaid ------------------------------------------------------------------------------------------

LABEL = r'\["(?:[^"#;&<>`|\[\](){}\\\n]|#\d+;|<br/>)+"\]'
"""A label: no character that means something, but as an escape."""
COLOUR = r"#[0-9a-f]{6}"
STYLE = rf"stroke:{COLOUR}(?:,stroke-width:\dpx)?"
LINES = {
    "edge": "---",
    "title": r'title: "(?:[^"\\\n]|\\["\\])*"',
    "head": r"flowchart (?:LR|TB)",
    "subgraph": rf" +subgraph (e\d+){LABEL}",
    "end": r" +end",
    "node": rf" +(e\d+){LABEL}",
    "link": r"  (e\d+) (?:---|-->|-\.-|===) (e\d+)",
    "classDef": rf"  classDef (\w+) {STYLE}",
    "class": r"  class (e\d+(?:,e\d+)*) (\w+)",
    "linkStyle": rf"  linkStyle (\d+(?:,\d+)*) {STYLE}",
}
"""The lines of a flowchart that this project writes, in the grammar of Mermaid."""


def check_mermaid(picture: Picture) -> None:
    """Each line is one of the grammar, groups are closed, and all ids are defined once."""
    depth, defined, links = 0, list[str](), 0
    lines = mermaid(picture).split("\n")
    assert (lines.pop(), lines[0]) == ("", "---" if picture.caption else lines[0])
    for line in lines:
        found = {kind: each for kind, form in LINES.items() if (each := re.fullmatch(form, line))}
        assert len(found) == 1, line
        ((kind, match),) = found.items()
        depth += {"subgraph": 1, "end": -1}.get(kind, 0)
        assert depth >= 0
        if kind in {"subgraph", "node"}:
            defined.append(match[1])
        elif kind == "link":
            links += 1
            assert {*match.groups()} <= {*defined}
        elif kind == "class":
            assert {*match[1].split(",")} <= {*defined}
        elif kind == "linkStyle":
            assert max(map(int, match[1].split(","))) < links
    assert depth == 0
    assert len(defined) == len({*defined}) == len([*all_ids(picture)]) - links


@settings(max_examples=40, deadline=None)
@given(picture=pictures_with_any_names())
def test_a_flowchart_is_one_of_mermaid_with_any_names(picture: Picture) -> None:
    check_mermaid(picture)


@settings(max_examples=20, deadline=None)
@given(site=sites)
def test_a_flowchart_of_every_topology_is_one_of_mermaid(site: Site) -> None:
    check_mermaid(hosts_picture(topology(site)))


# Text ---------------------------------------------------------------------------------------------


@settings(max_examples=20, deadline=None)
@given(site=sites)
def test_the_text_has_a_line_for_each_element(site: Site) -> None:
    picture = hosts_picture(topology(site))
    lines = text(picture).splitlines()
    cables = len(picture.cables)
    assert len(lines) == len([*all_ids(picture)]) - cables
    items = [item for box in picture.every_box for item in box.items]
    for item in items:
        assert any(f"── {item.name}" in line and item.detail in line for line in lines)


@settings(max_examples=40, deadline=None)
@given(picture=pictures_with_any_names())
def test_no_name_controls_the_terminal(picture: Picture) -> None:
    assert all(line.isprintable() for line in text(picture).split("\n"))


def test_the_text_of_a_host(article: Topology) -> None:
    lines = text(hosts_picture(article, ["server-233"])).splitlines()
    assert lines[0] == "server-233  10.0.44.233"
    assert "├── cirros  vm-cirros" in lines
    (eth0,) = (line for line in lines if "192.168.10.222/24" in line)
    assert re.fullmatch("│   └── eth0 +192.168.10.222/24 +── tap4c92d663-8d of br-int", eth0)
    (tap,) = (line for line in lines if line.startswith("│   ├── tap4c92d663-8d"))
    assert re.fullmatch("│   ├── tap4c92d663-8d  VLAN 1  blue +── eth0 of cirros", tap)


def test_the_text_of_a_pipeline(pipelines: Pipelines) -> None:
    lines = text(pipeline_picture(pipelines.by_bridge["br-tun"])).splitlines()
    assert lines[0] == "br-tun  br-tun.flows"
    at = lines.index("├── 2 PATCH_LV_TO_TUN  To one receiver, or to all?")
    assert lines[at + 1] == "│   └── → 20 UCAST_TO_TUN, 21 ARP_RESPONDER, 22 FLOOD_TO_TUN"
