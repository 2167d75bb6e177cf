"""Objects that are alike have one role, and pairs that are alike one class, in edits, too."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest

from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.prove.attempt import Attempt
from dvr_ryu.prove.literals import Literals, literals
from dvr_ryu.prove.pairs import Pairs
from dvr_ryu.prove.proof import Proof
from dvr_ryu.prove.roles import Cell, Numbering, Roles
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.topology import Topology
from tests.unit.prove.edited_flows import edited

PIPELINES = load_pipelines(flows_dir())


def fabric(hosts: int, networks: int, instances: int, more: str = "", seed: int = 1) -> Topology:
    """A router for each five networks; the instances are on random hosts."""
    chance = Random(seed)
    lines = ["hosts:", *(f"  h{at}: {{address: 10.0.0.{at + 1}}}" for at in range(hosts))]
    lines += ["networks:"]
    lines += [f"  n{at}: {{subnets: [{{cidr: 10.{at + 1}.0.0/16, dhcp: false}}]}}"
              for at in range(networks)]  # fmt: skip
    lines += ["routers:"]
    for first in range(0, networks, 5):
        feet = ", ".join(f"{{network: n{at}}}" for at in range(first, first + 5))
        lines += [f"  r{first}: {{interfaces: [{feet}]}}"]
    lines += ["instances:"]
    lines += [f"  i{at}: {{host: h{chance.randrange(hosts)}, network: n{at % networks}}}"
              for at in range(instances)]  # fmt: skip
    return parse_topology("\n".join([*lines, more, ""]), "fabric.yaml")


def attempts(topology: Topology, numbering: Numbering, named: Literals) -> list[Attempt]:
    return Pairs(topology, Roles(topology, named, numbering), numbering).attempts()


def roles(topology: Topology, pipelines: Pipelines = PIPELINES) -> dict[str, int]:
    found = Roles(topology, literals(pipelines.by_bridge.values()), Numbering())
    return {
        name: found.of_instance(Cell(port.network, port.host), found.shape_of(port))
        for name, port in topology.instances.items()
    }


def test_a_large_fabric_has_few_classes() -> None:
    topology = fabric(6, 20, 2000)
    assert len(set(roles(topology).values())) == 1
    assert len(attempts(topology, Numbering(), literals(PIPELINES.by_bridge.values()))) < 30


@pytest.mark.parametrize(
    "more",
    [
        "  other: {host: h1, network: n1, allowed_address_pairs: [{ip: 10.2.0.99}]}",
        "  other: {host: h1, network: n1, ips: [10.2.7.1, 10.2.7.2]}",
        "  other: {host: h1, ports: [{network: n1}, {network: n2}]}",
    ],
)
def test_an_instance_with_more_than_others_has_a_role_of_its_own(more: str) -> None:
    found = roles(fabric(4, 5, 100, more))
    assert found.pop("other") not in found.values()


@pytest.mark.parametrize(
    "line",
    [
        "priority=9, ip, nw_dst={ip}  actions=drop",
        "priority=9, ip, nw_src={ip}/32  actions=drop",
        "priority=9, dl_dst={mac}  actions=drop",
        "priority=9, ip  actions=mod_dl_dst:{mac},NORMAL",
        "priority=9, ip  actions=mod_nw_dst:{ip},NORMAL",
    ],
)
def test_a_line_that_names_a_machine_makes_it_unlike_others(tmp_path: Path, line: str) -> None:
    topology = fabric(4, 5, 100)
    named = topology.instances["i7"]
    text = "table 6 LEARN_SENDER \"Let NORMAL learn the sender's port, from a packet to the sender "
    text += 'itself, which goes nowhere."\n'
    pipelines = edited(
        tmp_path,
        ("br-int", text, f"{text}  {line.format(ip=named.ip, mac=named.mac)}\n"),
    )
    found = roles(topology, pipelines)
    assert [name for name, role in found.items() if role == found["i7"]] == ["i7"]


@pytest.mark.parametrize(
    "actions, kind",
    [
        ("load:5->NXM_NX_TUN_ID[]", "vnis"),
        ("learn(table=UCAST_TO_TUN,NXM_OF_ETH_SRC[],load:5->NXM_NX_TUN_ID[])", "vnis"),
        ("clone(set_tunnel:5,output:patch-int)", "vnis"),
        ("mod_vlan_vid:5", "tags"),
        ("push_vlan:0x8100,load:5->NXM_OF_VLAN_TCI[0..11]", "tags"),
        ("learn(table=UCAST_TO_TUN,NXM_OF_ETH_SRC[],NXM_OF_VLAN_TCI[0..11]=5)", "tags"),
        ("push_vlan:0x8100,set_field:4101->vlan_vid", "tags"),
        ("load:5->NXM_OF_IN_PORT[]", "ofports"),
        ("resubmit(5,UCAST_TO_TUN)", "ofports"),
    ],
)
def test_a_number_that_a_line_writes_is_a_literal(tmp_path: Path, actions: str, kind: str) -> None:
    before = "  priority=1, in_port=patch-int  actions=goto_table:DVR_PROCESS"
    line = f"  priority=7, in_port=patch-int, ip  actions={actions}\n{before}"
    pipelines = edited(tmp_path, ("br-tun", before, line))
    shipped, found = (
        getattr(literals(each.by_bridge.values()), kind) for each in (PIPELINES, pipelines)
    )
    assert {*found} - {*shipped} == {(5, (1 << 64) - 1) if kind == "vnis" else 5}


def test_a_fault_for_one_machine_is_found_among_hundreds(tmp_path: Path) -> None:
    """By its address, and by the tag that its network has on one host."""
    topology = fabric(4, 10, 800)
    named = topology.instances["i217"]
    line = "# From an instance of another host to one receiver: let NORMAL learn first"
    drops = (
        f"priority=77, ip, in_port=patch-tun, nw_dst={named.ip}  actions=drop",
        f"priority=77, dl_vlan={topology.local_vlans['h3']['n4']}  actions=drop",
    )
    for number, drop in enumerate(drops):
        (folder := tmp_path / str(number)).mkdir()
        pipelines = edited(folder, ("br-int", line, f"{drop}\n  {line}"))
        wrong = {end for each in Proof(pipelines).prove(topology).findings
                 for end in (each.attempt.source, each.attempt.target)}  # fmt: skip
        ports = [topology.instances[name] for name in wrong if name in topology.instances]
        if number == 0:
            assert named in ports
        else:
            assert ("n4", "h3") in {(port.network, port.host) for port in ports}


def keys(found: Iterable[Attempt]) -> set[int]:
    return {each.key for each in found}


def test_an_edit_that_makes_nothing_new_has_the_same_classes() -> None:
    numbering, named = Numbering(), literals(PIPELINES.by_bridge.values())
    before = keys(attempts(fabric(4, 10, 800), numbering, named))
    assert keys(attempts(fabric(4, 10, 801), numbering, named)) == before
    assert keys(attempts(fabric(4, 10, 800, seed=2), numbering, named)) == before
    more = "  other: {host: h1, network: n1, allowed_address_pairs: [{ip: 10.2.0.99}]}"
    assert not keys(attempts(fabric(4, 10, 800, more), numbering, named)) <= before


def test_a_proof_tries_only_what_an_edit_makes_new() -> None:
    proof = Proof(PIPELINES)
    first = proof.prove(fabric(4, 10, 800))
    assert first.holds and first.tried == first.classes > 10
    moved = proof.prove(fabric(4, 10, 800, seed=2))
    assert moved.holds and (moved.tried, moved.classes) == (0, first.classes)
    more = "floating_ips: {}\nexpect: [{from: i1, to: i2, reach: false}]"
    stated = proof.prove(fabric(4, 10, 800, more))
    assert not stated.holds and stated.tried == 0
