"""Every field in all of ovs-ofctl's notations, judged by ovs-ofctl; and random matches.

`pytest -s` prints the lines and their results.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.field_match import FieldMatch
from dvr_ryu.pipeline.language.fields import FIELDS, SHORTHANDS, Field
from tests.switch.support.oracle import Oracle
from tests.switch.support.ovs import Ovs

BOTH_REFUSE = """
recirc_id=5 actions=drop
dp_hash=5/0xf actions=drop
skb_priority=5 actions=drop
in_port=70000 actions=drop
ct_state=+foo actions=drop
ct_state=0x100/0x100 actions=drop
ct_zone=5/0xff actions=drop
dl_vlan=5/0xff actions=drop
tcp,tcp_flags=0x1012 actions=drop
tcp,tcp_flags=+syn-syn actions=drop
ip,ip_frag=0x1 actions=drop
tun_flags=+csum actions=drop
ct_state=+trk,ip,ct_nw_src=1.2.3.4 actions=drop
vlan_tci=0x0005/0xffff actions=drop
NXM_NX_REG0=5 actions=drop
reg0[0..3]=16 actions=drop
dl_src=0x5 actions=drop
ip,nw_src=1.2.3.4/33 actions=drop
ip,nw_src=1.2.3 actions=drop
dl_type=arp actions=drop
reg0=08 actions=drop
cookie=0x10/0xff actions=drop
priority=65536,actions=drop
nonsense=1 actions=drop
dl_type=0x894f,nsh_ttl=64 actions=drop
"""

MATCHES = """
in_port=p1 actions=drop
in_port="patch-int" actions=drop
in_port=2 actions=drop
in_port=65534 actions=drop
in_port=65281 actions=drop
in_port=any actions=drop
in_port_oxm=local actions=drop
in_port=* actions=drop
in_port=controller actions=drop
actset_output=unset actions=drop
eth,dl_src=0:1:2:3:4:5 actions=drop
dl_dst=01:00:00:00:00:00/1:0:0:0:0:0 actions=drop
eth_type=0x800,ip_proto=6,ip_src=1.2.3.4 actions=drop
dl_type=0x05ff actions=drop
dl_type=2048 actions=drop
dl_vlan=0 actions=drop
dl_vlan=0xffff actions=drop
dl_vlan=010 actions=drop
dl_vlan_pcp=3 actions=drop
vlan_pcp=5 actions=drop
dl_vlan=5,dl_vlan_pcp=3 actions=drop
vlan_vid=5 actions=drop
vlan_vid=0 actions=drop
vlan_vid=0x1005/0x1fff actions=drop
vlan_vid=0x1005/0x1001 actions=drop
vlan_vid=5/0xf actions=drop
vlan_tci=0 actions=drop
vlan_tci=0x1005 actions=drop
vlan_tci=0x7005 actions=drop
vlan_tci=0x1000/0x1000 actions=drop
vlan_tci=0x7000/0xf000 actions=drop
vlan_tci=0x0000/0xfff actions=drop
vlan_tci[12]=1 actions=drop
NXM_OF_VLAN_TCI[12]=1 actions=drop
ip,nw_src=1.2.3.4/24 actions=drop
ip,nw_src=1.2.3.4/255.0.255.0 actions=drop
ip,nw_src=001.2.3.4 actions=drop
ip,nw_src=1.2.3.4/0 actions=drop
ip,nw_src=* actions=drop
nw_dst=10.0.0.1,dl_type=0x0800 actions=drop
ip,nw_src[0..7]=5 actions=drop
ip,nw_tos=0x21 actions=drop
ip,ip_dscp=8 actions=drop
ip,ip_ecn=2 actions=drop
ipv6,nw_ttl=64 actions=drop
ip6,nw_proto=010 actions=drop
ipv6,ipv6_src=2001:DB8::1/64 actions=drop
ipv6,ipv6_dst=2001:db8::/ffff:ffff:: actions=drop
ipv6,ipv6_src=2001:db8::1.2.3.4 actions=drop
ipv6,ipv6_label=0x12345/0xff actions=drop
ip,ip_frag=no actions=drop
ip,nw_frag=yes actions=drop
ip,ip_frag=first actions=drop
ip,ip_frag=later actions=drop
ip,ip_frag=not_later actions=drop
udp,tp_src=5 actions=drop
sctp,tp_dst=5/0xff actions=drop
tp_src=80,tcp actions=drop
tcp6,tcp_src=0x50/0xfff0,tcp_dst=80 actions=drop
icmp,tp_src=8 actions=drop
icmp6,tp_src=8,tp_dst=3 actions=drop
icmp6,icmp_type=135 actions=drop
icmp6,icmpv6_type=135,nd_target=::1,nd_sll=0:0:0:0:0:1 actions=drop
icmp6,icmpv6_type=136,icmp_code=0,nd_tll=0:0:0:0:0:1/ff:0:0:0:0:0 actions=drop
tcp,tcp_flags=+syn-ack actions=drop
tcp,tcp_flags=syn|ack actions=drop
tcp,tcp_flags=0x12 actions=drop
tcp,tcp_flags=0x2/0x12 actions=drop
tcp,tcp_flags=+ns+cwr-rst+[800] actions=drop
tcp,tcp_flags=0 actions=drop
arp,nw_src=1.2.3.4,nw_dst=5.6.7.8,nw_proto=1 actions=drop
rarp,arp_op=3,arp_spa=1.2.3.4/8 actions=drop
mpls,mpls_label=5,mpls_tc=3,mpls_bos=1,mpls_ttl=4 actions=drop
mplsm,mpls_label=5 actions=drop
reg0=5,reg15=0xffffffff actions=drop
reg0=010 actions=drop
reg3=5/0xf actions=drop
reg0=5/0 actions=drop
reg0[0..3]=1,reg0[4..7]=2 actions=drop
NXM_NX_REG0[3..8]=5 actions=drop
xreg0=0x500000006 actions=drop
xxreg1=0x5/0xff actions=drop
xxreg0[64..67]=5 actions=drop
metadata=0xffffffffffffffff/0xff actions=drop
tunnel_id=5 actions=drop
tun_src=1.2.3.4/24,tun_dst=5.6.7.8 actions=drop
tun_flags=-oam actions=drop
tun_flags=0x1 actions=drop
ct_state=+trk+new-est actions=drop
ct_state=-trk actions=drop
ct_state=0x21/0x23 actions=drop
ct_state=new|trk actions=drop
ct_state=+trk+est,ip,ct_nw_src=1.2.3.4 actions=drop
ct_state=+trk-inv,tcp,ct_nw_dst=1.2.3.4/24,ct_nw_proto=6,ct_tp_src=5 actions=drop
ct_state=+trk+est,ipv6,ct_ipv6_src=::1,ct_nw_proto=6,ct_tp_dst=5/0xff actions=drop
ct_state=+est,ip,ct_nw_proto=17 actions=drop
ct_label=0x5/0xff,ct_mark=5/0xff,ct_zone=7 actions=drop
recirc_id=0 actions=drop
packet_type=(0,0) actions=drop
packet_type=(1,0x894f) actions=drop
dl_type=0x894f,nsh_ttl=5,nsh_mdtype=1,nsh_np=3,nsp=7,nsi=8,nshc1=0x5/0xff actions=drop
duration=5s,n_packets=6,n_bytes=7,idle_age=8,ip actions=drop
table=5,actions=drop
cookie=0x100001,idle_timeout=5,hard_timeout=6,importance=7,udp actions=drop
idle_timeout=010,send_flow_rem,no_packet_counts,no_byte_counts,sctp actions=drop
reset_counts,check_overlap,priority=9,dl_type=0x1234 actions=drop
"""


def lines_of(text: str) -> list[str]:
    return [line for line in text.splitlines() if line]


def matched(field: Field, dice: random.Random) -> FieldMatch:
    """A random match of a field."""
    value, mask = (dice.getrandbits(dice.randint(1, field.bits)) for _ in range(2))
    if field.bit_names is not None:
        value, mask = value & field.all_bits, mask & field.all_bits
    if field.notation is numbers.PORT:
        value %= 0xFF00
    if field.notation is numbers.IPV6:
        mask |= AS_A_MASK
    value &= {"arp_op": 0xFF, "nsh_ttl": 0x3F}.get(field.name, -1)
    return FieldMatch(field, value, mask if field.maskable and dice.random() < 0.5 else None)


NOT_AT_RANDOM = {
    "recirc_id", "dp_hash", "packet_type", "dl_type", "nw_proto", "nw_frag",
    "nsh_mdtype", "nsh_np", "tun_erspan_ver", "tun_erspan_dir", "tun_erspan_hwid", "tun_gtpu_flags",
    "tun_gtpu_msgtype",
}  # fmt: skip
"""Fields whose values are not arbitrary numbers: their table of names lists them."""

AS_A_MASK = 0xF << 124
"""ovs-ofctl reads an IPv6 mask that begins with a decimal digit as a prefix length."""


def made_up(count: int, seed: int) -> Iterator[str]:
    """Lines of random fields that can stand together, the same for the same seed."""
    dice = random.Random(seed)
    for priority in range(count):
        tokens = [f"priority={priority}", *packets(dice)]
        tokens += [text for text in choose(dice, tokens) if text]
        yield f"{','.join(tokens)} actions=drop"


def packets(dice: random.Random) -> list[str]:
    return dice.choice(
        [
            *([word] for word in SHORTHANDS),
            ["icmp6", "icmpv6_type=135"],
            ["icmp6", "icmpv6_type=136", "icmpv6_code=0"],
            ["ct_state=+trk+est", "ct_nw_proto=6", "tcp"],
            ["ct_state=+new", "ct_nw_proto=17", "udp6"],
            ["dl_type=0x894f"],
        ]
    )


def choose(dice: random.Random, tokens: list[str]) -> Iterator[str]:
    names = [word.partition("=")[0] for word in tokens]
    pairs = {pair for word in tokens for pair in SHORTHANDS.get(word, ())}
    pairs |= {("dl_type", 0x894F)} if "dl_type=0x894f" in tokens else set()
    pairs |= {("icmpv6_type", kind) for kind in (135, 136) if f"icmpv6_type={kind}" in tokens}
    able = [
        field
        for field in FIELDS.values()
        if field.name not in NOT_AT_RANDOM
        and not field.variable
        and field.name not in names
        and (not field.requires or any(set(each) <= pairs for each in field.requires))
        and ("ct_state" in names or not field.name.startswith(("ct_nw", "ct_ip", "ct_tp")))
        and not (field.name.startswith("icmpv6") and "icmpv6_type" in names)
    ]
    wanted = [field for field in able if field.requires and dice.random() < 0.5]
    wanted += dice.sample(able, 3)
    homes = set[str]()
    for field in wanted:
        if (home := home_of(field)) in homes:
            continue
        homes.add(home)
        yield text_of(field, dice)


def home_of(field: Field) -> str:
    """Fields with the same home are the same bits."""
    if "reg" in field.name:
        return "reg"
    if "vlan" in field.name:
        return "vlan"
    return {"ip_dscp": "nw_tos", "in_port_oxm": "in_port"}.get(field.name, field.name)


def text_of(field: Field, dice: random.Random) -> str:
    match = matched(field, dice)
    value = match.value
    assert isinstance(value, int)
    if field.bit_names:
        return f"{field.name}={field.bit_names.write(value, match.whole_mask)}" * bool(
            match.whole_mask
        )
    if field.name == "vlan_tci":
        return f"vlan_tci={value & 0x1FFF:#x}/0x1fff"
    name = dice.choice([field.name, *(each for each in field.aliases if "XM_" not in each)])
    if name in ("tp_src", "tp_dst"):
        name = field.name
    text = f"{name}={field.notation.write(value)}"
    return text if match.mask is None else f"{text}/{field.notation.write(match.whole_mask)}"


@pytest.mark.parametrize("protocol", ["OpenFlow13", "OpenFlow14"])
def test_words(ovs: Ovs, protocol: str):
    lines = [
        line for line in lines_of(MATCHES) if protocol == "OpenFlow14" or "importance" not in line
    ]
    report = Oracle(ovs, protocol).judge(lines)
    print(report)
    assert len(report.agree) == len(lines), report


def test_mistakes_are_refused_by_both_sides(ovs: Ovs):
    lines = lines_of(BOTH_REFUSE)
    report = Oracle(ovs).judge(lines)
    assert list(report.both_refuse) == lines, report


@pytest.fixture
def oracle(ovs: Ovs) -> Oracle:
    return Oracle(ovs)


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 2**32 - 1))
def test_any_fields(oracle: Oracle, seed: int):
    report = oracle.judge(made_up(100, seed))
    print(report)
    assert len(report.agree) == 100, report
