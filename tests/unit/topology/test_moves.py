"""Which instances an edit moves, and the topology with them where they were."""

from __future__ import annotations

import gc

import pytest
import yaml
from attrs import evolve

from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.model import AGENT_GATEWAY, COMPUTE, DHCP
from dvr_ryu.topology.moves import moved
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
    ],
)
def test_who_moves_stays_what_it_is(a: str, found: dict[str, str]):
    text = HERE.replace("host: one, network: blue", a)
    before, after = (Declaration(each, "t.yaml").topology for each in (HERE, text))
    assert moved(before, after) == found
    assert moved(after, after) == {}


def test_where_it_was_is_where_the_file_said_before():
    edited = Declaration(HERE.replace("a: {host: one", "a: {host: two"), "t.yaml")
    assert edited.with_hosts({"a": "one"}) == Declaration(HERE, "t.yaml").topology
    assert edited.with_hosts({}) is edited.topology


BEFORE = Declaration(HERE, "t.yaml")
WITHOUT_ONE = (
    HERE.replace("one: {address: 10.0.0.1, snat: true}", "")
    .replace("10.0.0.2}", "10.0.0.2, snat: true}")
    .replace("one", "two")
) + "removed_hosts: [one]\n"


def test_a_host_that_is_left_and_goes_is_what_it_was_but_for_what_it_did_for_others():
    edited = Declaration(WITHOUT_ONE, "t.yaml", BEFORE)
    assert moved(BEFORE.topology, edited.topology) == {"a": "one"} and {*edited.departed} == {"one"}
    still = edited.with_hosts({"a": "one"})
    was = BEFORE.topology
    assert still.hosts["one"] == evolve(was.hosts["one"], snat=False)
    assert still.instances == was.instances
    assert {port.owner for port in still.ports_on["one"]} <= {COMPUTE, DHCP, AGENT_GATEWAY}
    assert "one" in edited.with_hosts({}, ["one"]).hosts and "one" not in edited.topology.hosts


@pytest.mark.parametrize("third", ["address: 10.0.0.1", "address: 10.0.0.3, dvr_mac: MAC"])
def test_who_has_its_numbers_now_took_its_place(third: str):
    pinned = HERE.replace("snat: true", 'snat: true, dvr_mac: "fa:16:3f:00:00:01"')
    edit = third.replace("MAC", '"fa:16:3f:00:00:01"')
    text = WITHOUT_ONE.replace("two: {address", f"three: {{{edit}}}\n      two: {{address", 1)
    edited = Declaration(text, "t.yaml", Declaration(pinned, "t.yaml"))
    assert {*edited.departed} == set() and edited.with_hosts({}, ["one"]) is edited.topology


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
