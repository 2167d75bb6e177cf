"""Flow lines of a test's own: read one by one, and made up at random."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import strategies as st
from ryu.ofproto import ofproto_v1_4_parser as parser
from ryu.ofproto.ofproto_protocol import ProtocolDesc

from dvr_ryu.pipeline.compile.encode import ryu_flow_mod
from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes
from dvr_ryu.pipeline.compile.flow_mods import flow_mods
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.numbers import write_ipv4, write_ipv6, write_mac
from dvr_ryu.pipeline.language.syntax import parse_pipeline

TABLES = 61
DATAPATH = ProtocolDesc(5)


def read(line: str, block: str | None = None) -> Flow:
    """The flow of a line that says its table, in a file with the tables 0 to 61."""
    (table,) = re.findall(r"table=([0-9]+)\b", line)[:1]
    heads = [f"table {number} T{number}\n" for number in range(TABLES + 1)]
    heads[int(table)] += f"  each {block}:\n    {line}\n" if block else f"  {line}\n"
    ((_, flow),) = parse_pipeline("".join(heads), "f", "br-tun").flows()
    return flow


def serialised(flow: Flow) -> bytes:
    """The flow-mod as Ryu writes it."""
    message = ryu_flow_mod(flow)
    message.xid = 0
    message.serialize()
    return bytes(message.buf)


def flow_mod(version: int, xid: int, command: int, flow: FlowBytes) -> bytes:
    """One flow's message."""
    (message,) = flow_mods(version, command, dict([flow]), [xid])
    return message


def as_ryu_reads(message: bytes) -> tuple[Any, ...]:
    """What Ryu reads in a flow-mod; neither the order of a match's fields counts, nor what only a
    deletion looks at (out_port, out_group).
    """
    version, kind, length, xid = message[0], message[1], len(message), 0
    read = parser.OFPFlowMod.parser(DATAPATH, version, kind, length, xid, bytearray(message))
    head = read.table_id, read.priority, read.cookie, read.flags, read.idle_timeout
    rest = read.hard_timeout, read.command, read.buffer_id
    instructions = [each.to_jsondict() for each in read.instructions]
    return *head, *rest, sorted(read.match.items()), instructions


macs = st.integers(0, (1 << 48) - 1).map(write_mac)
ipv4s = st.integers(0, (1 << 32) - 1).map(write_ipv4)
ipv6s = st.integers(0, (1 << 128) - 1).map(write_ipv6)
tags = st.integers(1, 4094)
vnis = st.integers(1, (1 << 24) - 1)
ports = st.integers(1, 0xFEFF)
port_names = st.from_regex(r"[a-z][a-z0-9-]{0,12}", fullmatch=True)


def _prefixes(text: str) -> st.SearchStrategy[str]:
    def of(address: int, bits: int) -> str:
        return f"{write_ipv4(address >> (32 - bits) << (32 - bits))}/{bits}"

    return st.builds(of, st.integers(0, (1 << 32) - 1), st.integers(1, 32)).map(
        lambda prefix: f"{text}={prefix}"
    )


def _drawn_token(notation: str, value: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    return value.map(notation.format)


_LAYER_2 = [
    _drawn_token("in_port={}", ports | port_names | st.just("LOCAL") | st.just('"a b, c"')),
    _drawn_token("dl_src={}", macs),
    _drawn_token("dl_dst={}", macs | st.just("01:00:00:00:00:00/01:00:00:00:00:00")),
    _drawn_token("dl_vlan={}", tags),
    _drawn_token("tun_id={:#x}", vnis),
    _drawn_token("metadata={}/0xff", st.integers(0, 255)),
    _drawn_token("reg3={}/0xff", st.integers(0, 1 << 31)),
    _drawn_token("xreg2={:#x}", st.integers(0, (1 << 64) - 1)),
    _drawn_token("xxreg3={:#x}/0xffff0000000000000000ffff", st.integers(0, (1 << 128) - 1)),
    _drawn_token("dl_vlan_pcp={}", st.integers(0, 7)),
    _drawn_token("pkt_mark={:#x}", st.integers(0, (1 << 32) - 1)),
    _drawn_token("tun_src={}/16", ipv4s),
    _drawn_token("tun_ipv6_dst={}/64", ipv6s),
    _drawn_token("ct_mark={}", st.integers(0, 99)),
    _drawn_token("ct_label={0:#x}/{0:#x}", st.integers(1, (1 << 128) - 1)),
    _drawn_token("conj_id={}", st.integers(0, 99)),
    st.sampled_from(["ct_state=+trk-new+est", "ct_state=new|est", "ct_state=0x21/0x23"]),
]
_LAYER_3 = [
    st.just(["arp"]),
    st.tuples(
        st.just("arp"),
        _drawn_token("arp_op={}", st.integers(0, 9)),
        _drawn_token("arp_tpa={}", ipv4s),
    ),
    st.tuples(st.just("arp"), _drawn_token("arp_sha={}", macs), _prefixes("arp_spa")),
    st.tuples(_prefixes("nw_src"), st.just("ip"), _drawn_token("nw_dst={}", ipv4s)),
    st.tuples(st.just("tcp"), _drawn_token("tcp_dst={}", st.integers(0, 65535))),
    st.tuples(st.just("udp6"), _drawn_token("udp_src={}", st.integers(0, 65535))),
    st.tuples(st.just("icmp"), _drawn_token("icmp_type={}", st.integers(0, 255))),
    st.just(["ipv6"]),
    st.tuples(
        st.just("ipv6"), _drawn_token("ipv6_src={}/48", ipv6s), _drawn_token("ipv6_dst={}", ipv6s)
    ),
    st.tuples(st.just("ipv6"), _drawn_token("ipv6_label={}", st.integers(0, (1 << 20) - 1))),
    st.tuples(
        st.just("ip"), _drawn_token("nw_tos={}", st.integers(0, 255)), st.just("ip_frag=later")
    ),
    st.tuples(st.just("ip6"), _drawn_token("ip_dscp={}", st.integers(0, 63)), st.just("nw_ecn=2")),
    st.tuples(st.just("tcp6"), st.just("tcp_flags=+syn-ack"), st.just("tp_dst=80/0xf0")),
    st.tuples(st.just("sctp"), _drawn_token("tp_src={}", st.integers(0, 65535))),
    st.tuples(st.just("icmp6"), st.just("icmp_type=135"), _drawn_token("nd_target={}", ipv6s)),
    st.tuples(st.just("mpls"), _drawn_token("mpls_label={}", st.integers(0, (1 << 20) - 1))),
    st.tuples(st.just("dl_type=0x894f"), _drawn_token("nsh_c2={}", st.integers(0, 99))),
    st.tuples(st.just("rarp"), _drawn_token("nw_src={}", ipv4s)),
    st.just([]),
]
_ACTIONS = [
    _drawn_token("output:{}", ports | port_names),
    st.sampled_from(["NORMAL", "FLOOD", "IN_PORT", "LOCAL", "CONTROLLER", "ALL"]),
    _drawn_token("mod_dl_src:{}", macs),
    _drawn_token("mod_dl_dst:{}", macs),
    _drawn_token("mod_vlan_vid:{}", tags),
    _drawn_token("set_tunnel:{:#x}", vnis),
    _drawn_token("load:{}->NXM_OF_VLAN_TCI[0..11]", tags),
    _drawn_token("load:{}->NXM_OF_ETH_DST[]", st.integers(0, (1 << 48) - 1)),
    st.just("push_vlan:0x8100,strip_vlan"),
    st.just("push_vlan:0x8100"),
    st.just("move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[]"),
    st.just("move:NXM_OF_ETH_SRC[3..7]->NXM_OF_VLAN_TCI[0..4]"),
    _drawn_token("resubmit(,{})", st.integers(0, TABLES)),
    _drawn_token(
        "learn(table={},hard_timeout=3,priority=7,cookie=0x10,NXM_OF_VLAN_TCI[0..11],"
        "NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],load:5->NXM_OF_VLAN_TCI[],output:NXM_OF_IN_PORT[])",
        st.integers(0, TABLES),
    ),
]


_SETTINGS = ["cookie=0x5", "idle_timeout=7", "hard_timeout=9", "importance=3", "send_flow_rem"]


_OF_LAYER_3 = {
    "arp": [
        _drawn_token("set_field:{}->arp_op", st.integers(0, 65535)),
        _drawn_token("set_field:{}->arp_spa", ipv4s),
    ],
    "ip": [_drawn_token("mod_nw_dst:{}", ipv4s), st.just("dec_ttl")],
    "tcp": [_drawn_token("mod_tp_dst:{}", st.integers(0, 65535))],
}
"""What only these packets have: the word that matches them → actions."""


@st.composite
def lines(draw: st.DrawFn) -> str:
    """A line of the language without holes: any fields, any actions."""
    table = draw(st.integers(0, TABLES - 1))
    chosen = draw(st.lists(st.integers(0, len(_LAYER_2) - 1), unique=True))
    tokens = [draw(_LAYER_2[at]) for at in chosen] + list(draw(st.one_of(_LAYER_3)))
    also = [action for token in tokens for action in _OF_LAYER_3.get(token, [])]
    tokens = draw(st.permutations(tokens))
    actions = draw(st.lists(st.one_of(*_ACTIONS, *also), max_size=5))
    if draw(st.booleans()):
        actions.append(f"goto_table:{draw(st.integers(table + 1, TABLES))}")
    head = [f"table={table}", f"priority={draw(st.integers(0, 65535))}", *tokens]
    head += draw(st.lists(st.sampled_from(_SETTINGS), unique=True))
    return f"{', '.join(head)} actions={','.join(actions) or 'drop'}"
