"""The flow lines in Open vSwitch's manual pages: ovs-actions(7), ovs-fields(7), ovs-ofctl(8).

Letters for addresses and ports are replaced by numbers here; `pytest -s` prints the results.
"""

from __future__ import annotations

from tests.switch.support.oracle import Oracle
from tests.switch.support.ovs import Ovs

ACCEPTED = """
in_port=2,actions=in_port
actions=2,3,4,5,6,in_port
actions=all,in_port
in_port=2,actions=load:0->in_port,2
actions=load:0->in_port,2,3,4,5,6
actions=push:in_port,load:0->in_port,2,3,4,5,6,pop:in_port
actions=push:NXM_OF_IN_PORT[],load:0->NXM_OF_IN_PORT[],output:123,pop:NXM_OF_IN_PORT[]
actions=clone(load:0->NXM_OF_IN_PORT[],output:123)
in_port=1,actions=1
in_port=1,actions=drop
cookie=1,actions=normal
actions=flood
udp actions=learn(dl_type=0x800, nw_proto=17, udp_dst=udp_src)
actions=learn(table=1,hard_timeout=10, NXM_OF_VLAN_TCI[0..11],output:NXM_OF_IN_PORT[]), resubmit(,1)
actions=load:3->NXM_NX_REG0[0..15],learn(table=0,priority=1,idle_timeout=10,NXM_OF_ETH_SRC[],\
NXM_OF_VLAN_TCI[0..11],output:NXM_NX_REG0[0..15]),output:2
ip,ip_src=10.0.0.1 actions=conjunction(1234, 1/2)
ip,ip_dst=10.0.0.8 actions=conjunction(1234, 2/2)
conj_id=1234 actions=controller
conj_id=1234,ip actions=mod_nw_src:1.2.3.4,controller
conj_id=1234,tcp,tcp_dst=80 actions=mod_nw_src:1.2.3.4,controller
in_port=1 actions=set_tunnel:5001,set_field:192.168.1.1->tun_dst,3
in_port=3,tun_src=192.168.1.1,tun_id=5001 actions=1
dl_type=0x8847, mpls_bos=0, actions=pop_mpls:0x8847
dl_type=0x8847, mpls_bos=1, actions=pop_mpls:0x0800, goto_table:201
"""

OF_OPENFLOW_1_0_ONLY = """
arp actions=mod_nw_tos:12
dl_vlan=0xffff actions=strip_vlan
actions=mod_nw_src:1.2.3.4
"""
"""The manual shows them as flows without effect, which later protocols refuse."""


def lines_of(text: str) -> list[str]:
    """Give each line a priority of its own, because a table has a match only once."""
    lines = text.strip().split("\n")
    return [f"table=200,priority={at + 1},{line}" for at, line in enumerate(lines)]


def test_lines_of_the_manual_are_accepted(ovs: Ovs) -> None:
    lines = lines_of(ACCEPTED)
    report = Oracle(ovs).judge(lines)
    print(report)
    assert sorted(report.agree) == sorted(lines), report


def test_lines_that_the_manual_warns_of_are_refused(ovs: Ovs) -> None:
    lines = lines_of(OF_OPENFLOW_1_0_ONLY)
    report = Oracle(ovs).judge(lines)
    print(report)
    assert list(report.both_refuse) == lines, report
