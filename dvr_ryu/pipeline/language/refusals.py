"""Flow lines that ovs-ofctl and a switch take, and the language refuses, each with its reason.

Data only. The documentation of flows/ prints it, and tests try its lines.
"""

from __future__ import annotations

from typing import NamedTuple


class Refusal(NamedTuple):
    """A refused feature and the reason, in reStructuredText; `lines` are samples of it."""

    feature: str
    reason: str
    lines: tuple[str, ...]


REFUSALS = (
    Refusal(
        "Matches of ``tun_erspan_ver``, ``tun_erspan_dir``, ``tun_erspan_hwid``, "
        "``tun_gtpu_flags``, ``tun_gtpu_msgtype``, but with the value as the mask",
        "Open vSwitch 3.1 dumps them with the value as the mask, whatever mask it was sent: nobody "
        "can tell from a dump whether the flow is there.",
        (
            "tun_erspan_ver=1 actions=drop",
            "tun_erspan_dir=1 actions=drop",
            "tun_erspan_hwid=1/3 actions=drop",
            "tun_gtpu_flags=1 actions=drop",
            "tun_gtpu_msgtype=1 actions=drop",
        ),
    ),
    Refusal(
        "A match of the lowest 32, 64 … bits of a tunnel's option: ``tun_metadata0=5/0xffffffff``",
        "ovs-ofctl leaves such a mask out, and matches the whole option, which may be longer.",
        (
            "tun_metadata0=5/0xffffffff actions=drop",
            "tun_metadata1[0..63]=5 actions=drop",
        ),
    ),
    Refusal(
        "Some bits of a VLAN tag's priority: ``vlan_tci=0x3000/0x3000``",
        "OpenFlow 1.3 and 1.4 match the priority whole; ovs-ofctl matches other packets.",
        ("vlan_tci=0x6000/0xe000 actions=drop", "vlan_tci=0x3000/0x3000 actions=drop"),
    ),
    Refusal(
        "Bits that a field does not have, or that Open vSwitch does not keep: ``dl_vlan=4096``, "
        "``arp_op=256``",
        "ovs-ofctl cuts them off and matches other packets.",
        (
            "dl_vlan=4096 actions=drop",
            "dl_vlan_pcp=8 actions=drop",
            "vlan_vid=0xffff actions=drop",
            "ip,ip_dscp=64 actions=drop",
            "mpls,mpls_label=0x100000 actions=drop",
            "arp,arp_op=256 actions=drop",
            "tcp actions=ct(commit,nat(src=1.2.3.4:65536))",
        ),
    ),
    Refusal(
        "Fields that the packets do not have for sure: ``nw_src`` without ``ip``, ``ct_tp_dst`` "
        "without ``ct_nw_proto``",
        "ovs-ofctl leaves them out and matches more packets.",
        (
            "nw_src=1.2.3.4 actions=drop",
            "tp_src=5 actions=drop",
            "ipv6,nw_src=1.2.3.4 actions=drop",
            "packet_type=(1,0),nw_src=1.2.3.4 actions=drop",
            "packet_type=(1,0x800),tp_src=3 actions=drop",
            "icmp6,nd_target=::1 actions=drop",
            "icmp6,icmpv6_type=135,icmpv6_code=1,nd_target=::1 actions=drop",
            "tcp,udp_src=5 actions=drop",
            "ct_state=+trk+est,ip,ct_nw_proto=0 actions=drop",
            "ct_state=+trk+est,ip,ct_tp_dst=4 actions=drop",
        ),
    ),
    Refusal(
        "One thing said twice: ``ip,arp``, ``dl_vlan=5,dl_vlan=6``, ``ct(commit,zone=1,zone=2)``",
        "ovs-ofctl takes the last word, and of two ``nat`` makes what no switch tells back.",
        (
            "ip,arp actions=drop",
            "tcp,udp actions=drop",
            "in_port=1,in_port=p2 actions=drop",
            "dl_vlan=5,dl_vlan=6 actions=drop",
            "dl_vlan=0xffff,dl_vlan_pcp=3 actions=drop",
            "reg0=1/1,reg0=2/2 actions=drop",
            "priority=5,priority=6 actions=drop",
            "ip actions=ct(commit,zone=1,zone=2)",
            "ip actions=ct(commit,nat(src=1.2.3.4),nat(dst=1.2.3.4))",
            "actions=sample(probability=3,egress,ingress)",
        ),
    ),
    Refusal(
        "What ovs-ofctl reads over: a value behind a word that takes none (``tcp=5``), a bracket "
        "that is not closed, half a byte, a third comma, an address that is none, a mask of "
        "``packet_type``, ``allow_hidden_fields``",
        "It means nothing, so it is a mistake.",
        (
            "tcp=5 actions=drop",
            "send_flow_rem=1 actions=drop",
            "actions=bundle(eth_src,0,hrw,ofport,members:[1,2)",
            "actions=encap(nsh(md_type=2,tlv(0x1000,10,0x123)))",
            "ct_state=+trk+est,ip actions=resubmit(4,3,ct,)",
            "tcp actions=ct(commit,nat(src:80))",
            "packet_type=(1,0x800)/0xffff actions=drop",
            "allow_hidden_fields actions=drop",
        ),
    ),
    Refusal(
        "Some bits of flags within ``learn``: ``nw_frag=later``, ``tcp_flags=+syn``",
        "A learned flow matches whole fields; ovs-ofctl forgets the mask.",
        ("actions=learn(table=2,dl_type=0x800,nw_frag=later)",),
    ),
    Refusal(
        "Table 254, also behind ``goto_table``, ``resubmit``, ``ct`` and ``learn``",
        "It is Open vSwitch's own: no controller can add a flow to it.",
        ("actions=goto_table:254", "actions=resubmit(,254)"),
    ),
)
