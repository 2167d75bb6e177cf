"""Small pipelines whose flows work together, as ofproto/trace of a real Open vSwitch runs them:
conjunctions, fragments, stacked headers, loops, and actions that end others.
"""

from __future__ import annotations

import pytest

from dvr_ryu.pipeline.run.bridge import Bridge
from dvr_ryu.pipeline.run.packet import Packet, arp_request, icmp_echo, tcp, udp
from dvr_ryu.pipeline.run.state import BridgeState
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from tests.switch.interpreter.lines import BRIDGE, PORTS, pipeline
from tests.switch.interpreter.test_shipped import compared, steps_text
from tests.switch.interpreter.tracer import Tracer

ONE, TWO = 0x020000000001, 0x020000000002
A, B, C = 0x0A000001, 0x0A000002, 0x0A000003

TCP = tcp(ONE, TWO, A, B, 80)
FIRST, LATER = (
    TCP.having(nw_frag=1),
    Packet({n: v for n, v in TCP.having(nw_frag=3).fields.items() if not n.startswith("tcp_")}),
)
IP6 = Packet(
    {
        "dl_src": ONE, "dl_dst": TWO, "dl_type": 0x86DD, "ipv6_src": A, "ipv6_dst": B,
        "ipv6_label": 0, "nw_proto": 58, "nw_tos": 0, "nw_ecn": 0, "nw_ttl": 255, "nw_frag": 0,
        "icmpv6_type": 135, "icmpv6_code": 0, "nd_target": B, "nd_sll": ONE,
    }
)  # fmt: skip
PACKETS = [
    TCP, FIRST, LATER, IP6, arp_request(ONE, A, B), icmp_echo(ONE, TWO, A, C),
    tcp(ONE, TWO, B, C, 443), udp(ONE, TWO, A, C, 53), udp(ONE, TWO, C, B, 80),
    TCP.tagged(5), TCP.tagged(6).having(nw_ttl=1), IP6.tagged(5),
]  # fmt: skip

PIPELINES = {
    "conjunction": """
        priority=5,ip,nw_src=10.0.0.1 actions=conjunction(7,1/2)
        priority=5,ip,nw_src=10.0.0.2 actions=conjunction(7,1/2),conjunction(8,1/2)
        priority=5,tcp,tp_dst=80 actions=conjunction(7,2/2)
        priority=5,ip,nw_dst=10.0.0.3 actions=conjunction(8,2/2)
        priority=9,tcp,nw_src=10.0.0.2,nw_dst=10.0.0.2 actions=drop
        priority=6,conj_id=7,ip actions=2
        priority=1,conj_id=8,ip actions=3
        priority=2,udp actions=1,2
        priority=0 actions=4
    """,
    "fragments": """
        priority=9,tcp,tp_dst=80,ip_frag=no actions=2
        priority=8,tcp,tp_dst=80 actions=3
        priority=7,ip,ip_frag=first actions=2,3
        priority=6,ip,ip_frag=later actions=mod_nw_ttl:9,mod_nw_tos:8,2
        priority=5,tcp,tcp_flags=+syn-ack actions=4
    """,
    "set_on_fragments": """
        priority=9,tcp,ip_frag=no actions=mod_tp_dst:81,2
        priority=8,tcp,ip_frag=first actions=mod_tp_dst:82,2
        priority=7,ip actions=write_actions(dec_ttl,set_field:3->nw_ecn,2)
    """,
    "stacked tags": """
        priority=9,dl_vlan=5 actions=push_vlan:0x8100,set_field:4103->vlan_vid,2,pop_vlan,2,4
        priority=8,dl_vlan=6 actions=mod_vlan_pcp:3,2,strip_vlan,2
        priority=7,ip actions=mod_vlan_vid:9,2,mod_vlan_vid:10,NORMAL,pop_vlan,3
        priority=0 actions=push_vlan:0x8100,set_field:4101->vlan_vid,NORMAL
    """,
    "labels": """
        priority=9,ip actions=push_mpls:0x8847,set_mpls_label:99,2,push_mpls:0x8847,dec_mpls_ttl,3
        priority=8,ipv6 actions=push_mpls:0x8848,resubmit(,1)
        table=1,mplsm,mpls_label=2 actions=set_mpls_ttl(2),dec_mpls_ttl,2,dec_mpls_ttl,3
    """,
    "loop": """
        priority=1,ip actions=2,dec_ttl,resubmit(,0)
        priority=1,arp actions=2,resubmit(,0),resubmit(,0)
        priority=0 actions=resubmit(3,1),4
        table=1,in_port=3 actions=2,IN_PORT,resubmit(,2)
        table=2,in_port=3 actions=3
        table=2,in_port=1 actions=4
    """,
    "ends": """
        priority=9,tcp actions=resubmit(,1),2,write_actions(3,dec_ttl),goto_table:2
        priority=8,udp actions=clone(resubmit(,2)),resubmit(,1),2
        priority=7,ip actions=dec_ttl,write_actions(3),goto_table:2
        table=1,tcp,tp_dst=80 actions=exit
        table=1,ip actions=dec_ttl,load:1->reg0
        table=2,reg0=1 actions=clear_actions,write_actions(4),goto_table:3
        table=2 actions=write_metadata:0xf0/0xf0,goto_table:3
        table=3,metadata=0xf0 actions=write_actions(2)
    """,
    "discovery": """
        priority=9,icmp6,icmpv6_type=135,nd_target=::a00:2 \
actions=move:nd_sll->eth_dst,set_field:::1->ipv6_src,set_field:02:00:00:00:00:09->nd_sll,2
        priority=8,ipv6 actions=set_field:5->ipv6_label,2
    """,
    "protected": """
        priority=9,ip actions=NORMAL,load:0xffff->in_port,NORMAL,5,6
        priority=8 actions=5,6,FLOOD,set_field:5->in_port,6,ALL
    """,
}


def lines_of(name: str) -> list[str]:
    lines = (line.strip() for line in PIPELINES[name].splitlines())
    return [line if line.startswith("table=") else f"table=0,{line}" for line in lines if line]


@pytest.mark.parametrize("name", [*PIPELINES])
def test_small_pipelines(tracer: Tracer, name: str) -> None:
    view = HostView(load_topology(examples_dir() / "human-defined-dvr.yaml"), "server-233")
    bridge = Bridge(pipeline(lines_of(name)), view, PORTS)
    tracer.make(BRIDGE, PORTS, lines_of(name))
    state = BridgeState()
    sent = 0
    for port in ("p1", "tagged", "shyer"):
        for packet in PACKETS:
            theirs = tracer.trace(BRIDGE, packet, bridge.by_name[port].number)
            ours = bridge.forward(state, packet, port)
            state = ours.state
            difference = compared(ours.outputs, theirs.outputs)
            assert not difference, (
                f"{packet} at {port}{difference}\n{steps_text(ours)}\n{theirs.text}"
            )
            sent += len(ours.outputs)
    assert sent
