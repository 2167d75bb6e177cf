"""What an edit makes of a bridge's flows, found through what it touches, is what the edited
topology makes of them from nothing.
"""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import pytest
from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.pipeline.compile.basis import Basis
from dvr_ryu.pipeline.compile.desired_flows import Contradiction, DesiredFlows
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.changes import compare
from dvr_ryu.topology.loading import load_topology, parse_topology
from dvr_ryu.topology.view import HostView
from tests.unit.pipeline.sites import Site, edited, edits, sites, topology

SHIPPED = load_pipelines(flows_dir())
# Lines that many rows want alike, and that name every kind of thing.
LEARN_ONLY = load_pipelines(flows_dir() / "experiments" / "learn-only")

PORTS = ["patch-int", "vxlan-0a00010b", "geneve-0a00010b", "vxlan-0a00020c"]


@pytest.mark.parametrize("pipelines", [SHIPPED, LEARN_ONLY], ids=["shipped", "learn-only"])
@settings(max_examples=60, deadline=None)
@given(
    site=sites,
    changes=st.lists(edits, min_size=1, max_size=4),
    absent_ports=st.lists(st.sets(st.sampled_from(PORTS))),
)
def test_an_edit_touches_what_it_changes(
    pipelines: Pipelines, site: Site, changes: list[Any], absent_ports: list[set[str]]
):
    topologies = [topology(each) for each in accumulate(changes, edited, initial=site)]
    for bridge in pipelines.by_bridge:
        basis: Basis | None = None
        desired_flows = DesiredFlows()
        for at, wished in enumerate(topologies):
            view = HostView(wished, "host-0")
            missing = absent_ports[at] if at < len(absent_ports) else set()
            planned = view.planned_ofports(bridge).items()
            ports = {name: number for name, number in planned if name not in missing}
            after = pipelines.basis(bridge, view, ports)
            delta = None
            if basis is not None:
                delta = basis.edited(after, compare(basis.view.topology, wished))
            if delta:
                before = dict(desired_flows.flows)
                exchange = desired_flows.exchange(delta.removed, delta.added)
                assert exchange.before.items() <= before.items()
                assert basis and delta.outdates_learned == (
                    not _tunnel_values(basis) <= _tunnel_values(after)
                )
            else:
                assert basis is None or basis.view.this_host != view.this_host
                desired_flows = DesiredFlows()
                for filled in after.all():
                    desired_flows.add(filled)
            assert desired_flows.flows == after.desired()
            basis = after


def _tunnel_values(basis: Basis) -> set[tuple[Any, ...]]:
    """What learned flows lead by: a network's tag and VNI, a tunnel, its port's number."""
    tunnels = [tunnel.port for tunnel in basis.view.tunnel]
    return {
        *((network.vlan, network.vni) for network in basis.view.network),
        *((port,) for port in tunnels),
        *((port, basis.ports[port]) for port in tunnels if port in basis.ports),
    }


def test_one_more_instance_touches_its_own_flows_only():
    text = (examples_dir() / "human-defined-dvr.yaml").read_text()
    before = load_topology(examples_dir() / "human-defined-dvr.yaml")
    line = "instances:\n"
    after = parse_topology(
        text.replace(line, f"{line}  another: {{host: server-68, network: yellow}}\n", 1), "t.yaml"
    )
    change = compare(before, after)
    one, two = (SHIPPED.planned("br-tun", HostView(each, "server-233")) for each in (before, after))
    delta = one.edited(two, change)
    assert delta
    assert sum(len(filled.identities) for filled in (*delta.removed, *delta.added)) == 2


def test_another_type_of_tunnel_touches_all_that_names_one():
    before = load_topology(examples_dir() / "human-defined-dvr.yaml")
    after = evolve(before, underlay=evolve(before.underlay, tunnel_type="geneve"))
    one = SHIPPED.planned("br-tun", HostView(before, "server-233"))
    # The new ports are not there yet: then no flow may name the old ones.
    two = SHIPPED.basis("br-tun", HostView(after, "server-233"), {"patch-int": 1})
    desired_flows = DesiredFlows()
    for filled in one.all():
        desired_flows.add(filled)
    delta = one.edited(two, compare(before, after))
    assert delta
    desired_flows.exchange(delta.removed, delta.added)
    assert desired_flows.flows == two.desired()


@pytest.mark.parametrize(
    ("port", "number", "outdated"),
    [
        ("vxlan-0a002c44", None, True),
        ("vxlan-0a002c44", 9, True),
        ("vxlan-0a002c44", 3, False),
        ("other", 9, False),
        ("patch-int", 9, False),
    ],
)
def test_a_tunnel_whose_port_goes_or_is_renumbered_outdates_learned_flows(
    port: str, number: int | None, outdated: bool
):
    view = HostView(load_topology(examples_dir() / "human-defined-dvr.yaml"), "server-233")
    before = SHIPPED.planned("br-tun", view)
    assert before.ports["vxlan-0a002c44"] == 3
    ports = {name: each for name, each in before.ports.items() if name != port}
    after = SHIPPED.basis("br-tun", view, {**ports, **({port: number} if number else {})})
    change = compare(view.topology, view.topology)
    delta, back = before.edited(after, change), after.edited(before, change)
    assert delta and back
    assert delta.outdates_learned == outdated
    # One that comes is none that anybody has learned.
    assert back.outdates_learned == (outdated and number is not None)


SNAT_HOST = """
hosts:
  one: {address: 10.0.0.1}
  two: {address: 10.0.0.2, snat: true}
networks:
  n: {subnets: [{cidr: 10.1.0.0/24, dhcp: false}]}
  x: {external: true, subnets: [{cidr: 2.2.2.0/24}]}
routers:
  r: {interfaces: [{network: n}], external_network: x}
instances:
  a: {host: one, network: n}
"""


@pytest.mark.parametrize("bridge", SHIPPED.by_bridge)
def test_an_instance_may_bring_its_router_where_its_network_is_already(bridge):
    """To the SNAT host: nothing changes there but that port, and which routers are local."""
    before = parse_topology(SNAT_HOST, "t.yaml")
    after = parse_topology(f"{SNAT_HOST}  b: {{host: two, network: n}}\n", "t.yaml")
    change = compare(before, after)
    assert not (change.presence or change.routers or change.networks or change.hosts)
    one, two = (SHIPPED.planned(bridge, HostView(each, "two")) for each in (before, after))
    desired_flows = DesiredFlows()
    for filled in one.all():
        desired_flows.add(filled)
    delta = one.edited(two, change)
    assert delta
    desired_flows.exchange(delta.removed, delta.added)
    assert desired_flows.flows == two.desired()


def test_contradictions_change_nothing():
    view = HostView(load_topology(examples_dir() / "human-defined-dvr.yaml"), "server-233")
    basis = SHIPPED.planned("br-tun", view)
    desired_flows = DesiredFlows()
    groups = list(basis.all())
    for filled in groups:
        desired_flows.add(filled)
    before = dict(desired_flows.flows)
    other = groups[0]._replace(values=[bytes(16)] * len(groups[0].values))
    with pytest.raises(Contradiction):
        desired_flows.add(other)
    assert desired_flows.flows == before
    desired_flows.exchange([], groups)
    desired_flows.exchange(groups, [])
    assert desired_flows.flows == before
    desired_flows.exchange(groups, [])
    assert desired_flows.flows == {}
