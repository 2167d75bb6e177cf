"""Which instances an edit moves, where they are meanwhile, and which topology is in force."""

from __future__ import annotations

import gc

import pytest
import yaml
from attrs import evolve

from dvr_ryu.topology.allocation.numbers import NoRoom
from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.model import AGENT_GATEWAY, COMPUTE, DHCP
from dvr_ryu.topology.placement import (
    AS_DECLARED,
    InForce,
    LeftPort,
    Observation,
    Placement,
    Retained,
    arriving,
    early_hosts_first,
    in_force,
    moved,
    observe,
    retained,
    transition,
)
from tests.unit.topology.files import topology_file

HERE = topology_file(instances="{a: {host: one, network: blue}, b: {host: two, network: yellow}}")


@pytest.mark.parametrize(
    ("a", "found"),
    [
        ("host: two, network: blue", {"a": "one"}),
        ("host: one, network: blue", {}),
        ("host: two, network: yellow", {}),
        ("host: two, network: blue, ip: 192.168.1.77", {}),
        ('host: two, network: blue, mac: "fa:16:3e:00:00:01"', {}),
        ("host: two, ports: [{network: blue}, {network: yellow}]", {}),
        ("host: two, network: blue, guest: qemu", {}),
    ],
)
def test_an_instance_that_moves_stays_what_it_is(a: str, found: dict[str, str]):
    text = HERE.replace("host: one, network: blue", a)
    before, after = (Declaration(each, "t.yaml").topology for each in (HERE, text))
    assert moved(before, after) == found
    assert moved(after, after) == {}


def test_where_it_was_is_where_the_file_said_before():
    edited = Declaration(HERE.replace("a: {host: one", "a: {host: two"), "t.yaml")
    assert edited.placed(Placement({"a": "one"})) == Declaration(HERE, "t.yaml").topology
    assert edited.placed(Placement({})) is edited.topology


BEFORE = Declaration(HERE, "t.yaml")
RETAINED = Placement({}, frozenset({"one"}))
WITHOUT_ONE = (
    HERE.replace("one: {address: 10.0.0.1, snat: true}", "")
    .replace("10.0.0.2}", "10.0.0.2, snat: true}")
    .replace("one", "two")
) + "removed_hosts: [one]\n"


def test_a_host_that_is_left_and_goes_is_what_it_was_but_for_what_it_did_for_others():
    edited = Declaration(WITHOUT_ONE, "t.yaml", BEFORE)
    assert moved(BEFORE.topology, edited.topology) == {"a": "one"} and {*edited.departed} == {"one"}
    still = edited.placed(Placement({"a": "one"}))
    was = BEFORE.topology
    assert still.hosts["one"] == evolve(was.hosts["one"], snat=False)
    assert still.instances == was.instances
    assert {port.owner for port in still.ports_on["one"]} <= {COMPUTE, DHCP, AGENT_GATEWAY}
    assert "one" in edited.placed(RETAINED).hosts and "one" not in edited.topology.hosts


@pytest.mark.parametrize("third", ["address: 10.0.0.1", "address: 10.0.0.3, dvr_mac: MAC"])
def test_a_host_whose_numbers_another_has_now_is_forgotten(third: str):
    pinned = HERE.replace("snat: true", 'snat: true, dvr_mac: "fa:16:3f:00:00:01"')
    edit = third.replace("MAC", '"fa:16:3f:00:00:01"')
    text = WITHOUT_ONE.replace("two: {address", f"three: {{{edit}}}\n      two: {{address", 1)
    edited = Declaration(text, "t.yaml", Declaration(pinned, "t.yaml"))
    assert {*edited.departed} == set() and edited.placed(RETAINED) is edited.topology


def test_a_host_that_went_is_known_until_it_returns():
    edited = Declaration(WITHOUT_ONE, "t.yaml", BEFORE)
    later = Declaration(WITHOUT_ONE.replace("blue}", "blue, ip: 192.168.1.9}", 1), "t.yaml", edited)
    assert {*later.departed} == {"one"}
    assert {*Declaration(HERE, "t.yaml", later).departed} == set()


def test_the_files_nodes_are_not_kept():
    def nodes() -> int:
        gc.collect()
        return sum(isinstance(each, yaml.Node) for each in gc.get_objects())

    before = nodes()
    declaration = Declaration(HERE, "t.yaml")
    assert nodes() == before
    assert declaration.topology.instances


MOVED = Declaration(HERE.replace("a: {host: one", "a: {host: two"), "t.yaml", BEFORE)
"""The edit that moves a from host one to host two."""
A, B = (BEFORE.topology.instances[name].device for name in "ab")


@pytest.mark.parametrize("name", ["one", "two", "elsewhere"])
def test_the_host_that_an_instance_leaves_retains_it(name: str) -> None:
    found = retained(name, BEFORE.topology, MOVED)
    assert (found and found.devices) == ({"a": (A,)} if name == "one" else None)
    if found:
        placed, placement = in_force(MOVED, found.placement(name))
        assert placement == Placement({"a": "one"}) and placed == BEFORE.topology
    arrives = name == "two"
    assert arriving(name, BEFORE.topology, MOVED.topology) == ({"a"} if arrives else set())


def test_other_hosts_retain_the_tunnel_to_a_host_that_is_left_and_goes() -> None:
    edited = Declaration(WITHOUT_ONE, "t.yaml", BEFORE)
    tunnel = BEFORE.topology.tunnel_devices["one"]
    assert retained("one", BEFORE.topology, edited) == Retained({"a": (A,)}, {}, BEFORE.topology)
    assert retained("two", BEFORE.topology, edited) == Retained(
        {}, {"one": tunnel}, edited.topology
    )


def test_what_is_retained_goes_port_by_port() -> None:
    both = Retained({"a": ("a1", "a2"), "b": ("b1",)}, {"one": "vxlan-1"}, BEFORE.topology)
    assert both.still({"a2"}, set()) == Retained({"a": ("a1", "a2")}, {}, BEFORE.topology)
    assert both.still(set(), {"vxlan-1"}) == Retained({}, {"one": "vxlan-1"}, BEFORE.topology)
    assert both.still({"b2"}, {"vxlan-2"}) is None
    assert str(both) == "a, b until its ports are shut; one until no flow leads there"


@pytest.mark.parametrize(
    ("ports", "moving", "left"),
    [
        ({"two": {B}}, {}, {}),
        ({"one": {A}, "two": {B}}, {"a": "one"}, {("one", A): "a"}),
        ({"one": {A}, "two": {A, B}}, {}, {("one", A): "a"}),
        ({"two": {A, B}}, {}, {}),
        ({"gone": {A}}, {}, {("gone", A): "a"}),
        ({"one": {"patch-tun"}}, {}, {}),
    ],
)
def test_ports_tell_where_an_instance_is(
    ports: dict[str, set[str]], moving: dict[str, str], left: dict[tuple[str, str], str]
) -> None:
    expected = {LeftPort(*port): name for port, name in left.items()}
    assert observe(MOVED.topology, (), ports) == Observation(Placement(moving), expected)


def test_the_host_of_arrival_has_the_new_topology_before_all_others() -> None:
    still = transition(BEFORE.topology, MOVED, Placement({"a": "one"})).result
    assert still == InForce(BEFORE.topology, Placement({"a": "one"}))
    arrived = transition(still.topology, MOVED, AS_DECLARED)
    first = early_hosts_first(still, arrived, MOVED.topology)
    assert first.result.topology == BEFORE.topology
    assert first.result.early == {"two": MOVED.topology}
    assert first.result.next is arrived and first.after is arrived.after is MOVED.topology
    assert early_hosts_first(first.result, arrived, MOVED.topology) is arrived


def test_an_edit_without_arrivals_is_in_force_for_all_hosts_at_once() -> None:
    step = transition(MOVED.topology, BEFORE, AS_DECLARED)
    assert early_hosts_first(InForce(MOVED.topology), step, BEFORE.topology) is step


def test_a_topology_that_has_no_room_for_the_move_is_in_force_as_declared(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(declaration: Declaration, placement: Placement) -> None:
        raise NoRoom([])

    monkeypatch.setattr(Declaration, "placed", full)
    assert in_force(MOVED, Placement({"a": "one"})) == (MOVED.topology, AS_DECLARED)
