"""A trace's way passes elements of the picture that hang together, from the sender to the end."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.graph.asked import of_ways
from dvr_ryu.graph.dot import dot
from dvr_ryu.graph.graphviz import laid_out
from dvr_ryu.graph.hosts import hosts_picture
from dvr_ryu.graph.picture import Picture
from dvr_ryu.graph.svg import svg
from dvr_ryu.graph.way import hosts_of, way
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.endpoints import names
from dvr_ryu.trace.network import Network
from tests.unit.graph.elements import all_ids
from tests.unit.pipeline.sites import Site, sites, topology

PIPELINES = load_pipelines(flows_dir())


def check_way(picture: Picture, ids: tuple[str, ...]) -> None:
    """Each element is in the picture; each cable joins what is passed before and after it."""
    assert set(ids) <= set(all_ids(picture))
    ends = {cable.id: {cable.start, cable.end} for cable in picture.cables}
    whole = {box.id for box in picture.every_box if box.items}
    passed = [id for id in ids if id not in whole]
    assert not ends.keys() & {*passed[:1], *passed[-1:]}
    for number, id in enumerate(passed):
        if id in ends:
            assert ends[id] == {passed[number - 1], passed[number + 1]}
    for one, other in pairwise(passed):
        if one not in ends and other not in ends:
            assert picture.box_of[one] is picture.box_of[other]


@settings(max_examples=30, deadline=None)
@given(site=sites, data=st.data())
def test_the_way_of_every_pair_hangs_together(site: Site, data: st.DataObject) -> None:
    wished = topology(site)
    if not wished.instances:
        return
    names = st.sampled_from([*wished.instances])
    trace = Network(wished, PIPELINES).trace(data.draw(names), data.draw(names), reply=True)
    datapath = data.draw(st.sampled_from(["system", "netdev"]))
    for each in filter(None, (trace, trace.reply)):
        whole = hosts_picture(wished, datapath_type=datapath)
        check_way(whole, way(each))
        assert {group.name for group in whole.groups} >= set(hosts_of(each))
        some = [name for name in hosts_of(each) if data.draw(st.booleans())]
        check_way(hosts_picture(wished, some), way(each, some))


def test_the_way_of_every_pair_of_the_article_hangs_together(
    article: Topology, pipelines: Pipelines
) -> None:
    """Instances, hosts, outside, and a floating address."""
    network, shown = Network(article, pipelines), ["server-233"]
    whole, one = hosts_picture(article), hosts_picture(article, shown)
    ends = [*names(article)]
    for source, target in product(ends, [*ends, "2.2.2.100"]):
        trace = network.trace(source, target, reply=True)
        for each in filter(None, (trace, trace.reply)):
            check_way(whole, way(each))
            check_way(one, way(each, shown))


def test_the_way_across_two_hosts(article: Topology, pipelines: Pipelines) -> None:
    ids = way(Network(article, pipelines).trace("cirros", "vm-68"))
    named = [id for id in ids if id.startswith(("device/", "port/", "underlay"))]
    assert [id.split("/", 1)[1] for id in named if "/" in id and "--" not in id] == [
        "server-233/vm-cirros/eth0",
        "server-233/br-int/tap4c92d663-8d",
        "server-233/br-int/qr-85edc1de-ed",
        "server-233/qrouter-28e4ec01-f0a1-4c0e-9c2b-4f8a5d7e6b10/qr-85edc1de-ed",
        "server-233/qrouter-28e4ec01-f0a1-4c0e-9c2b-4f8a5d7e6b10/qr-8a6b7d06-51",
        "server-233/br-int/qr-8a6b7d06-51",
        "server-233/br-int/patch-tun",
        "server-233/br-tun/patch-int",
        "server-233/br-tun/vxlan-0a002c44",
        "server-233",
        "server-68",
        "server-68/br-tun/vxlan-0a002ce9",
        "server-68/br-tun/patch-int",
        "server-68/br-int/patch-tun",
        "server-68/br-int/tapc9376720-16",
        "server-68/vm-vm-68/eth0",
    ]


@pytest.mark.parametrize(
    ("ends", "first", "last"),
    [
        (("cirros", "outside"), "namespace/server-233/vm-cirros", "outside"),
        (("outside", "cirros"), "outside", "namespace/server-233/vm-cirros"),
        (("cirros", "lonely-68"), "namespace/server-233/vm-cirros", None),
    ],
)
def test_both_ends_are_on_the_way(
    article: Topology,
    pipelines: Pipelines,
    ends: tuple[str, str],
    first: str,
    last: str | None,
) -> None:
    ids = way(Network(article, pipelines).trace(*ends))
    assert first in ids[:2]
    assert last is None or ids[-1] == last
    check_way(hosts_picture(article), ids)


def test_numbers_follow_the_way(article: Topology, pipelines: Pipelines) -> None:
    picture = of_ways(article, pipelines, None, None, ("cirros", "vm-68"))
    assert [group.name for group in picture.groups] == ["server-233", "server-68"]
    assert picture.title == "2 hosts, from cirros to vm-68"
    assert picture.caption.startswith("delivered: instance vm-68 on server-68 gets it")
    assert picture.caption in svg(picture, laid_out(dot(picture)))
    numbers = sorted(number for steps in picture.steps.values() for number in steps)
    assert numbers == [*range(1, len(numbers) + 1)]
    assert picture.steps["device/server-233/vm-cirros/eth0"] == (1,)
    assert picture.steps["device/server-68/vm-vm-68/eth0"] == (numbers[-1],)


def test_tables_on_the_way_are_numbered(article: Topology, pipelines: Pipelines) -> None:
    picture = of_ways(article, pipelines, None, "br-int", ("cirros", "vm-68"))
    assert set(picture.way) <= set(all_ids(picture))
    tables = [id.split("/")[2] for id in picture.way if "--" not in id]
    assert tables == ["0", "24", "25", "58", "59", "60", "6", "61"]
    gotos = [id for id in picture.way if "--" in id]
    # Table 60 resubmits to table 6, and only then goes to table 61.
    assert gotos[-2:] == [
        "table/br-int/60--table/br-int/6",
        "table/br-int/60--table/br-int/61",
    ]
    assert len(gotos) == len(tables) - 1


def test_the_tables_are_those_of_the_host(article: Topology, pipelines: Pipelines) -> None:
    ends = ("cirros", "vm-68")
    here, there = (
        of_ways(article, pipelines, host, "br-tun", ends).way
        for host in ("server-233", "server-68")
    )
    assert "table/br-tun/20" in here and "table/br-tun/4" not in here
    assert "table/br-tun/4" in there and "table/br-tun/20" not in there
    assert of_ways(article, pipelines, "server-64", "br-tun", ends).way == ()
