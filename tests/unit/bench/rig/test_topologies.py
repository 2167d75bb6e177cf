"""The topologies of the benchmark are valid and have the given size."""

from __future__ import annotations

import pytest

from bench import change
from bench.rig.topologies import PAIR, count_flows, fabric, fabric_of, groups, host, with_pair
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.loading import parse_topology


@pytest.fixture(scope="module")
def pipelines() -> Pipelines:
    return load_pipelines(flows_dir())


def test_a_fabric_has_so_many_of_each() -> None:
    model = parse_topology(fabric(hosts=4, networks=12, elsewhere=40), "generated")
    assert (len(model.hosts), len(model.networks), len(model.routers)) == (4, 12, 2)
    assert len(model.instances) == 52
    here = [each for each in model.instances.values() if each.host == host(0)]
    assert {each.network for each in here} == set(model.networks) and len(here) == 12


@pytest.mark.parametrize("flows", [500, 1_000])
def test_a_bridge_has_so_many_flows(pipelines: Pipelines, flows: int) -> None:
    assert count_flows(fabric_of(flows, 10, 10, pipelines), pipelines) == flows


def test_a_number_of_flows_that_cannot_be(pipelines: Pipelines) -> None:
    with pytest.raises(ValueError, match="not 501"):
        fabric_of(501, 10, 10, pipelines)
    with pytest.raises(ValueError, match="not 100"):
        fabric_of(100, 50, 100, pipelines)


def test_groups_share_nothing() -> None:
    model = parse_topology(groups(count=3, hosts=2, networks=4, instances=5), "generated")
    assert (len(model.hosts), len(model.networks), len(model.routers)) == (6, 12, 3)
    assert len(model.instances) == 30
    hosts_of = {
        name: {each.host for each in model.instances.values() if each.network == name}
        for name in model.networks
    }
    assert [hosts_of[f"net-{number}"] for number in (0, 3, 4, 11)] == [
        {"host-0", "host-1"},
        {"host-0", "host-1"},
        {"host-2", "host-3"},
        {"host-4", "host-5"},
    ]


def test_a_pair_beside_a_fabric_changes_nothing_in_it() -> None:
    text = fabric(hosts=4, networks=3, elsewhere=20)
    alone, beside = parse_topology(text, "alone"), parse_topology(with_pair(text), "beside")
    assert set(beside.hosts) - set(alone.hosts) == set(PAIR)
    assert {name: beside.instances[name] for name in alone.instances} == alone.instances
    theirs = {each.host for each in beside.instances.values() if each.network == "pair"}
    assert theirs == set(PAIR)


def test_an_edit_changes_no_other_instance(pipelines: Pipelines) -> None:
    text = fabric_of(1_000, change.HOSTS, change.NETWORKS, pipelines)
    before = parse_topology(text, "before").instances
    for kind, last_line in change.EDITS.items():
        after = parse_topology(text + last_line, kind).instances
        assert {name: after[name] for name in before} == before
        assert len(after) - len(before) == (kind != "removed")
