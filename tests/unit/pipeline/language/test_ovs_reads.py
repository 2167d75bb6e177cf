"""Open vSwitch reads in our bytes what `ovs-ofctl` makes of the same text. No switch runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.pipeline.compile.flow_bytes import split_flow_mod
from dvr_ryu.pipeline.compile.flow_mods import ADD, flow_mods
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from tests.unit.pipeline.flow_text import read, serialised
from tests.unit.pipeline.ovs_ofctl import by_ovs, ofctl, printed_flows

LINES = [
    "priority=0 actions=drop",
    "in_port=3,dl_src=fa:16:3e:00:00:01 actions=output:7,output:8",
    "in_port=LOCAL actions=NORMAL",
    "dl_vlan=5,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=FLOOD",
    "dl_vlan=0 actions=ALL,IN_PORT,LOCAL,CONTROLLER",
    "vlan_vid=0x1000/0x1000 actions=strip_vlan,output:1",
    "metadata=0x5/0xff actions=drop",
    "tun_id=0x7b actions=mod_vlan_vid:7,goto_table:9",
    "dl_vlan=5 actions=mod_vlan_vid:7,output:1",
    "dl_vlan=5 actions=strip_vlan,mod_vlan_vid:7,output:1",
    "priority=3 actions=push_vlan:0x8100,set_field:4103->vlan_vid,output:1",
    "arp,arp_op=1,arp_tpa=10.0.0.1,arp_spa=10.0.0.0/8 actions=set_field:2->arp_op,IN_PORT",
    "arp,arp_sha=fa:16:3e:00:00:01 actions=move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],output:1",
    "priority=4 actions=move:NXM_OF_ETH_SRC[3..7]->NXM_OF_ETH_DST[40..44],output:1",
    "priority=5 actions=load:0x5->NXM_OF_ETH_SRC[],load:1->NXM_OF_VLAN_TCI[12],output:1",
    "ip,nw_src=10.0.0.0/8,nw_dst=10.1.0.1 actions=mod_nw_src:1.2.3.4,mod_nw_dst:4.3.2.1,output:1",
    "ip,nw_proto=89 actions=mod_dl_src:fa:16:3e:00:00:01,mod_dl_dst:fa:16:3e:00:00:02,output:1",
    "tcp,tcp_src=80,tcp_dst=65535 actions=drop",
    "udp6,udp_src=80,udp_dst=53 actions=drop",
    "icmp,icmp_type=8,icmp_code=0 actions=drop",
    "icmp6,icmpv6_type=135,icmpv6_code=0 actions=drop",
    "dl_type=0x88cc actions=set_tunnel:0x1a,resubmit(,20),output:2",
    "priority=6 actions=learn(table=20,priority=7,idle_timeout=1,hard_timeout=2,fin_idle_timeout=3,"
    "fin_hard_timeout=4,cookie=0x10,NXM_OF_VLAN_TCI[0..11],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
    "load:0x5->NXM_OF_VLAN_TCI[],load:NXM_NX_TUN_ID[]->NXM_NX_TUN_ID[],output:NXM_OF_IN_PORT[])",
]
LINES = [f"table=1,{line}" for line in LINES]


def _by_us(line: str) -> str:
    (message,) = flow_mods(5, ADD, dict([split_flow_mod(serialised(read(line)))]), [1])
    (stated,) = printed_flows(ofctl("ofp-print", message.hex()))
    return stated


@pytest.mark.parametrize("line", LINES)
def test_each_field_and_action(tmp_path: Path, line: str):
    assert by_ovs([line], tmp_path) == [_by_us(line)]
    assert by_ovs([str(read(line))], tmp_path) == [_by_us(line)]


@pytest.mark.parametrize("host", ["server-233", "server-64"])
@pytest.mark.parametrize("bridge", ["br-tun", "br-int"])
def test_the_flows_of_the_example(tmp_path: Path, host: str, bridge: str):
    view = HostView(load_topology(examples_dir() / "human-defined-dvr.yaml"), host)
    pipelines = load_pipelines(flows_dir())
    ports = view.planned_ofports(bridge)
    printed = [str(flow) for flow in pipelines.basis(bridge, view, ports).flows()]
    wanted = pipelines.basis(bridge, view, ports).desired()
    messages = [each.hex() for each in flow_mods(5, ADD, wanted, range(len(wanted)))]
    by_us = [
        stated for message in messages for stated in printed_flows(ofctl("ofp-print", message))
    ]
    assert sorted(by_us) == sorted(by_ovs(printed, tmp_path))
