"""Verdicts that no story has: loops, MTUs, bridges without flows; and the tree of hops."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.trace.hops import ARP, TCP, Kind, Outcome, Probe, Strand
from dvr_ryu.trace.network import Network
from dvr_ryu.trace.walk import MOST_VISITS

FILE = """
controller: tcp:10.0.0.9:6653
underlay: {cidr: 10.0.0.0/24, mtu: 1550}
hosts:
  h1: {address: 10.0.0.1}
  h2: {address: 10.0.0.2}
networks:
  blue: {dhcp_host: h1, subnets: [{cidr: 10.1.0.0/24, dhcp_options: {mtu: MTU}}]}
  green: {subnets: [{cidr: 10.2.0.0/24}]}
routers:
  r1: {interfaces: [{network: blue}, {network: green}]}
instances:
  a: {host: h1, network: blue}
  c: {host: h2, network: blue}
  b: {host: h2, network: green}
"""


def network(flows: Path | None = None, mtu: int = 1500, datapath: str = "system") -> Network:
    topology = parse_topology(FILE.replace("MTU", str(mtu)), "test.yaml")
    return Network(topology, load_pipelines(flows or flows_dir()), datapath)


def folder(path: Path, **bridges: str) -> Path:
    """A folder of pipelines, each of one table."""
    for name, lines in bridges.items():
        file = path / f"{name.replace('_', '-')}.flows"
        file.write_text('table 0 FIRST "A test."\n' + lines)
    return path


def test_a_loop_ends_the_trace(tmp_path: Path) -> None:
    flows = folder(
        tmp_path,
        br_int="  in_port=patch-tun actions=load:0xffff->NXM_OF_IN_PORT[],output:patch-tun\n"
        "  miss: output:patch-tun\n",
        br_tun="  miss: IN_PORT\n",
    )
    trace = network(flows).trace("a", "c", Probe(ARP))
    assert trace.verdict.outcome is Outcome.LOOPED
    assert [hop.node for hop in trace.way()] == ["vm-a", *["br-int", "br-tun"] * 2]
    assert len(trace.hops) == 5
    # A ping waits for a neighbour whose ARP loops.
    trace = network(flows).trace("a", "c")
    assert trace.verdict.outcome is Outcome.UNANSWERED
    assert any(hop.looped and hop.strand is Strand.ARP for hop in trace.hops)


def test_a_packet_that_doubles_for_ever_ends(tmp_path: Path) -> None:
    gateway = (
        "  arp actions=set_field:2->arp_op,move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],"
        "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],set_field:02:00:00:00:00:09->arp_sha,"
        "set_field:10.1.0.1->arp_spa,move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],"
        "mod_dl_src:02:00:00:00:00:09,IN_PORT\n"
    )
    twice = "dec_ttl,output:patch-tun,output:patch-tun"
    flows = folder(
        tmp_path,
        br_int=f"{gateway}  ip,in_port=patch-tun actions=load:0xffff->NXM_OF_IN_PORT[],{twice}\n"
        "  miss: output:patch-tun\n",
        br_tun="  miss: IN_PORT\n",
    )
    trace = network(flows).trace("a", "b")
    assert MOST_VISITS < len(trace.hops) < 10 * MOST_VISITS
    assert trace.verdict.outcome is Outcome.LOOPED


@pytest.mark.parametrize("bridges", [{"br_int": "  miss: drop\n"}, {"br_tun": "  miss: drop\n"}])
def test_a_bridge_without_flows_drops(tmp_path: Path, bridges: dict[str, str]) -> None:
    trace = network(folder(tmp_path, **bridges)).trace("a", "c", Probe(ARP))
    assert (trace.verdict.outcome, trace.verdict.owner) == (Outcome.UNANSWERED, "br-int")


def test_a_router_answers_a_packet_that_is_too_long() -> None:
    trace = network(mtu=1504).trace("a", "b", Probe(size=1503))
    assert trace.verdict.outcome is Outcome.REFUSED
    assert (trace.verdict.owner, trace.verdict.host) == ("router r1", "h1")
    assert "mtu 1500" in trace.verdict.reason and "10.1.0.1" in trace.verdict.reason
    error = [hop for hop in trace.hops if hop.strand is Strand.ERROR][-1]
    assert (error.node, error.packet.quoted is not None) == ("vm-a", True)
    assert network(mtu=1504).trace("a", "b", Probe(size=1500)).verdict.delivered


def test_a_tunnel_drops_what_the_underlay_does_not_carry() -> None:
    trace = network(mtu=1540).trace("a", "c", Probe(size=1501))
    assert (trace.verdict.outcome, trace.verdict.owner) == (Outcome.DROPPED, "vxlan-0a000002")
    assert "1551 bytes" in trace.verdict.reason
    assert trace.hops[trace.verdict.hop].kind is Kind.TUNNEL


@pytest.mark.parametrize("datapath", ["system", "netdev"])
def test_a_way_is_whole_with_either_datapath(datapath: str) -> None:
    trace = network(datapath=datapath).trace("a", "b", reply=True)
    assert trace.answered and trace.reply is not None
    nodes = [hop.node for hop in trace.way()]
    assert (nodes[0], nodes[-1]) == ("vm-a", "vm-b")
    assert [hop.host for hop in trace.way()] == ["h1"] * 7 + ["h2"] * 3


def test_hops_are_a_tree_in_the_order_of_time() -> None:
    trace = network().trace("a", "b", reply=True)
    for each in (trace, trace.reply):
        assert each is not None
        assert [hop.number for hop in each.hops] == [*range(len(each.hops))]
        for hop in each.hops[1:]:
            assert hop.parent is not None and hop.parent < hop.number
            leads = [output.hop for output in each.hops[hop.parent].outputs]
            assert hop.number in leads
        for hop in each.hops:
            assert hop.awaited is None or hop.awaited < hop.number


def test_an_answer_comes_from_the_state_that_the_packet_left() -> None:
    """An instance takes a SYN, ACK only of a connection that it has begun."""
    trace = network().trace("a", "c", Probe(TCP, 80), reply=True)
    assert trace.answered and trace.reply is not None
    # A bridge has answered for c, so c has not heard of a. The others know their neighbours.
    questions = [hop for hop in trace.reply.hops if hop.packet["arp_op"] == 1]
    assert {hop.packet["arp_tpa"] for hop in questions} == {trace.packet["nw_src"]}


def test_a_flood_to_very_many_finds_its_receiver() -> None:
    """More ports hear the question than packets may come to one of them."""
    many = "".join(f"  n{number}: {{host: h2, network: blue}}\n" for number in range(240))
    few = FILE.replace("MTU", "1500").replace("10.1.0.0/24", "10.1.0.0/23")
    topology = parse_topology(few + many, "test.yaml")
    trace = Network(topology, load_pipelines(flows_dir())).trace("a", "10.1.1.250", Probe(ARP))
    assert trace.verdict.outcome is Outcome.UNANSWERED
    heard = {hop.node for hop in trace.hops if hop.kind is Kind.NAMESPACE}
    assert len(heard) > 240 and not any(hop.looped for hop in trace.hops)
