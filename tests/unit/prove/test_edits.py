"""What an edit of the topology or of flows/ would cut, open or lead elsewhere."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from attrs import evolve
from click.testing import CliRunner

from dvr_ryu.cli import cli
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.prove.edits import Effect, State, differences
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.loading import parse_topology
from tests.unit.prove.edited_flows import ACROSS, edited

BEFORE = """
hosts: {h1: {address: 10.0.0.1, snat: true}, h2: {address: 10.0.0.2}}
networks:
  blue: {subnets: [{cidr: 10.1.0.0/24, dhcp: false}]}
  green: {subnets: [{cidr: 10.2.0.0/24, dhcp: false}]}
  x: {external: true, subnets: [{cidr: 2.2.2.0/24}], gateway_host: h1}
routers:
  r: {interfaces: [{network: blue}, {network: green}], external_network: x}
instances:
  a: {host: h1, network: blue, ip: 10.1.0.11}
  b: {host: h2, network: blue, ip: 10.1.0.12}
  c: {host: h2, network: green, ip: 10.2.0.13}
floating_ips:
  2.2.2.100: {instance: a}
"""
PIPELINES = load_pipelines(flows_dir())


def found(before: str, after: str) -> set[tuple[str, Effect]]:
    states = [State(parse_topology(text, "edited.yaml"), PIPELINES) for text in (before, after)]
    return {(str(each.attempt), each.kind) for each in differences(*states)}


@pytest.mark.parametrize(
    "old, new, expected",
    [
        ("{network: blue}, {network: green}", "{network: blue}", ("a → c", Effect.CUT)),
        ("{instance: a}", "{instance: b}", ("outside → 2.2.2.100", Effect.LED)),
        ("2.2.2.100: {instance: a}", "2.2.2.101: {instance: a}", ("a → 2.2.2.1", Effect.SEEN)),
        ("2.2.2.100: {instance: a}", "2.2.2.100: {}", ("outside → 2.2.2.100", Effect.CUT)),
    ],
)
def test_an_edit_of_the_topology(old: str, new: str, expected: tuple[str, Effect]) -> None:
    assert BEFORE.count(old) == 1
    after = BEFORE.replace(old, new)
    assert expected in found(BEFORE, after)
    opposite = {Effect.CUT: Effect.OPENED}
    assert (expected[0], opposite.get(expected[1], expected[1])) in found(after, BEFORE)


def test_an_edit_that_concerns_no_packet() -> None:
    more = BEFORE.replace("instances:\n", "instances:\n  d: {host: h1, network: green}\n")
    assert not found(BEFORE, more) and not found(more, BEFORE)


def test_an_instance_that_only_one_state_has() -> None:
    before = BEFORE.replace(", dhcp: false", "")
    more = before.replace("instances:\n", "instances:\n  d: {host: h1, network: green}\n")
    assert not found(before, more) and not found(more, before)


def test_a_network_without_its_dhcp_server() -> None:
    with_dhcp = BEFORE.replace("10.1.0.0/24, dhcp: false", "10.1.0.0/24")
    assert ("a → blue (DHCP)", Effect.CUT) in found(with_dhcp, BEFORE)
    assert ("a → blue (DHCP)", Effect.OPENED) in found(BEFORE, with_dhcp)


def test_an_edit_of_the_flows(tmp_path: Path) -> None:
    before = State(parse_topology(BEFORE, "edited.yaml"), PIPELINES)
    after = evolve(before, pipelines=edited(tmp_path, ACROSS))
    cut = {str(each.attempt): each for each in differences(before, after)}
    assert {each.kind for each in cut.values()} == {Effect.CUT}
    assert "a → b" in cut and "b → c" not in cut  # c is on the host of b
    assert "table 20 UCAST_TO_TUN" in cut["a → b"].text
    opened = {each.kind for each in differences(after, before)}
    assert opened == {Effect.OPENED}


def test_a_packet_whose_answer_was_lost(tmp_path: Path) -> None:
    line = "# From an instance of another host to one receiver: let NORMAL learn first"
    drop = "priority=77, icmp, icmp_type=0  actions=drop"
    after = State(parse_topology(BEFORE, "edited.yaml"), PIPELINES)
    before = evolve(after, pipelines=edited(tmp_path, ("br-int", line, f"{drop}\n  {line}")))
    opened = {str(each.attempt): each for each in differences(before, after)}
    assert opened["a → b"].kind is Effect.OPENED
    _, _, until_now = opened["a → b"].text.partition("; until now, ")
    assert "drops it in table 0" in until_now


def test_dvr_check_tells_before_anything_is_sent(tmp_path: Path) -> None:
    file, flows = tmp_path / "topology.yaml", tmp_path / "flows"
    file.write_text(BEFORE)
    shutil.copytree(flows_dir(), flows, ignore=lambda *_: ["experiments"])
    same = CliRunner().invoke(cli, ["check", str(file), "--flows", str(flows), "--prove",
                                    "--before", str(file)])  # fmt: skip
    assert (same.exit_code, same.stdout) == (0, "")
    assert same.stderr == "the edit would cut nothing and open nothing\n"
    edited(flows, ACROSS)
    worse = CliRunner().invoke(cli, ["check", str(file), "--flows", str(flows), "--prove",
                                     "--before", str(file)])  # fmt: skip
    assert worse.exit_code == 2
    assert worse.stdout.startswith("b → a: would be cut (")
    assert "drops it in table 20 UCAST_TO_TUN: a (10.1.0.11) is on h1." in worse.stdout
    assert worse.stderr.startswith("the edit would cut ")


def test_dvr_check_has_a_state_before_only_for_a_proof(tmp_path: Path) -> None:
    file = tmp_path / "topology.yaml"
    file.write_text(BEFORE)
    done = CliRunner().invoke(cli, ["check", str(file), "--before", str(file)])
    assert done.exit_code == 64
    assert "add it" in done.stderr
