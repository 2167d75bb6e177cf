"""The shipped pipelines are right for every example, and every kind of fault in them is found."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.prove.findings import Fault
from dvr_ryu.prove.groups import ending_line, groups
from dvr_ryu.prove.proof import Proof
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.expectation import Expectation
from dvr_ryu.topology.loading import load_topology, parse_topology
from tests.unit.prove.edited_flows import ACROSS, Edit, edited

ARTICLE = load_topology(examples_dir() / "human-defined-dvr.yaml")
EXAMPLES = sorted(examples_dir().glob("*.yaml"))

TWO_COPIES: Edit = (
    "br-int",
    "      actions=strip_vlan,output:{own_port.port}\n",
    "      actions=strip_vlan,output:{own_port.port},output:{own_port.port}\n",
)
FROM_BR_INT = "priority=1, in_port=patch-int  actions=goto_table:DVR_PROCESS"
TO_ONE = """priority=1, in_port=patch-tun, dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 \\
    actions=resubmit(,LEARN_SENDER),goto_table:PACKET_RATE_LIMIT"""
BACK = "actions=load:0xffff->NXM_OF_IN_PORT[],output:patch-tun"
CIRCLE: tuple[Edit, ...] = (
    ("br-tun", FROM_BR_INT, FROM_BR_INT.replace("goto_table:DVR_PROCESS", "IN_PORT")),
    ("br-int", TO_ONE, f"priority=1, in_port=patch-tun  {BACK}"),
)
ASKS_ALL: tuple[Edit, ...] = (
    ("br-tun", "priority=3, arp, dl_vlan={gateway.vlan}, arp_tpa={gateway.ip}  actions=drop",
     "priority=3, arp, dl_vlan={gateway.vlan}, arp_tpa={gateway.ip} \\\n"
     "      actions=strip_vlan,set_tunnel:{gateway.vni},output:{gateway.flood}"),
)  # fmt: skip
ALL_ANSWER: tuple[Edit, ...] = (
    *ASKS_ALL,
    ("br-tun", "arp, arp_op=2, dl_vlan={gateway.vlan}, dl_src={gateway.mac}  actions=drop",
     "arp, arp_op=2, dl_vlan={gateway.vlan}, dl_src={gateway.mac}  "
     "actions=goto_table:PATCH_LV_TO_TUN"),
)  # fmt: skip
NO_FLOOD: Edit = (
    "br-tun",
    "actions=strip_vlan,set_tunnel:{network.vni},output:{network.flood}",
    "actions=drop",
)


INTO_TUNNEL = "actions=strip_vlan,set_tunnel:{remote_port.vni},output:{remote_port.tunnel}"
ONLY_SHORT: Edit = (
    "br-tun",
    "    # {remote_port.name} ({remote_port.ip}) is on {remote_port.host}.\n"
    "    priority=2, dl_vlan={remote_port.vlan}, dl_dst={remote_port.mac} \\\n"
    f"      {INTO_TUNNEL}\n",
    "    # A long one waits in vain.\n"
    "    priority=2, reg9=0, dl_vlan={remote_port.vlan}, dl_dst={remote_port.mac} \\\n"
    "      actions=check_pkt_larger(1400)->NXM_NX_REG8[0],load:1->NXM_NX_REG9[],"
    "resubmit(,UCAST_TO_TUN)\n"
    "    priority=2, reg9=1, reg8=0, dl_vlan={remote_port.vlan}, dl_dst={remote_port.mac} \\\n"
    f"      {INTO_TUNNEL}\n"
    "    priority=2, reg9=1, reg8=1, dl_vlan={remote_port.vlan}, dl_dst={remote_port.mac} "
    "actions=drop\n",
)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)
def test_every_example_holds(file: Path) -> None:
    report = Proof(load_pipelines(flows_dir())).prove(load_topology(file))
    assert [str(each) for each in report.findings] == []
    assert report.holds and report.wrong_lines == () and report.classes == report.tried > 40


@pytest.mark.parametrize(
    "edits, fault, packet, text",
    [
        ((ACROSS,), Fault.CUT, "cirros → blue-68", "drops it in table 20 UCAST_TO_TUN"),
        ((TWO_COPIES,), Fault.TWICE, "cirros → blue-68 (1500 bytes)", "copies arrive"),
        (CIRCLE, Fault.LOOP, "cirros → blue-68", "br-tun on server-233 gets the same packet again"),
        (ASKS_ALL, Fault.ARP_LEAK, "cirros → 192.168.10.1 (ARP)", "the question for 192.168.10.1"),
        (ALL_ANSWER, Fault.ARP_TWICE, "cirros → 192.168.10.1 (ARP)", "gets 3 answers"),
        ((NO_FLOOD,), Fault.CUT, "blue-68 → blue (DHCP)", "table 22 FLOOD_TO_TUN"),
        ((ONLY_SHORT,), Fault.MTU, "cirros → blue-68 (1500 bytes)", "20 UCAST_TO_TUN"),
    ],
    ids=["cut", "twice", "circle", "leak", "two answers", "no lease", "MTU"],
)
def test_a_fault_of_the_flows_is_found(
    tmp_path: Path, edits: tuple[Edit, ...], fault: Fault, packet: str, text: str
) -> None:
    report = Proof(edited(tmp_path, *edits)).prove(ARTICLE)
    found = {str(each.attempt): each for each in report.findings if each.kind is fault}
    assert packet in found, [str(each) for each in report.findings]
    assert text in found[packet].text


TENANTS = """
hosts: {h1: {address: 10.0.0.1}}
networks:
  one: {subnets: [{cidr: 10.1.0.0/24, dhcp: false}]}
  two: {subnets: [{cidr: 10.1.0.0/24, dhcp: false}]}
instances:
  i: {host: h1, network: one, ip: 10.1.0.11}
  j: {host: h1, network: two, ip: 10.1.0.12}
"""


def test_tenants_that_are_not_apart_are_found(tmp_path: Path) -> None:
    """FLOOD sends to all ports, whatever their tags."""
    to_all = "# Handle all other packets as a learning switch with VLANs.\n  priority=1  actions="
    to_one = "# To a MAC that moves or is undeclared.\n  priority=1  actions="
    edits = [("br-int", f"{each}NORMAL", f"{each}FLOOD") for each in (to_all, to_one)]
    report = Proof(edited(tmp_path, *edits)).prove(parse_topology(TENANTS, "tenants.yaml"))
    opened = {str(each.attempt) for each in report.findings if each.kind is Fault.OPEN}
    assert opened == {"i → j"}  # which stands for j → i, too


def test_findings_of_one_cause_are_one_group(tmp_path: Path) -> None:
    report = Proof(edited(tmp_path, ACROSS)).prove(ARTICLE)
    first, *_ = groups(report.findings)
    location = ending_line(first.example.trace)
    assert len(first.findings) > 20 and location is not None
    assert "each remote_port" in Path(location.file).read_text().splitlines()[location.line - 3]


@pytest.mark.parametrize(
    "line, text",
    [
        (Expectation("cirros", "lonely-233"), "Network is unreachable"),
        (Expectation("cirros", "vm-68", reach=False), "instance vm-68 answers, but the file says"),
        (Expectation("vm-68", "outside", seen_as="2.2.2.100"), "sees 2.2.2.24, not 2.2.2.100"),
    ],
    ids=str,
)
def test_a_line_of_expect_that_does_not_hold_is_found(line: Expectation, text: str) -> None:
    right = Expectation("cirros", "outside", seen_as="2.2.2.100")
    topology = evolve(ARTICLE, expected=(right, line))
    report = Proof(load_pipelines(flows_dir())).prove(topology)
    ((index, finding),) = report.wrong_lines
    assert (index, report.findings) == (1, ()) and text in finding.text
