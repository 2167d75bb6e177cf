"""A flow prints as text that is the same flow; numbers are read as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.cookie import COOKIE
from dvr_ryu.pipeline.language.numbers import RESERVED_PORTS
from dvr_ryu.pipeline.language.operands import PortName, fill, unknowns
from tests.unit.pipeline.flow_text import as_ryu_reads, lines, read, serialised


@settings(max_examples=300, deadline=None)
@given(lines())
def test_a_flow_prints_as_text_that_is_the_same_flow(line: str):
    flow = read(line)
    assert read(str(flow)) == flow
    assert str(read(str(flow))) == str(flow)
    assert hash(read(str(flow))) == hash(flow)


@settings(max_examples=200, deadline=None)
@given(lines())
def test_ryu_reads_in_the_text_that_is_printed_what_it_reads_in_the_text_that_was_written(
    line: str,
):
    written = fill(read(line), lambda _: 7)
    printed = fill(read(str(read(line))), lambda _: 7)
    assert as_ryu_reads(serialised(written)) == as_ryu_reads(serialised(printed))


@pytest.mark.parametrize("name", ["patch-int", "vxlan-0a002c44", "qr-1.2", "a b", "1x", "LOCAL"])
def test_a_port_is_named_as_it_is_printed(name: str):
    flow = read(f'table=0,in_port="{name}" actions=output:"{name}"')
    assert list(unknowns(flow)) == [PortName(name)] * 2
    assert read(str(flow)) == flow


def test_plain_names_need_no_quotes_and_reserved_names_are_no_names():
    assert read("table=0,in_port=patch-int actions=output:patch-int") == read(
        'table=0,in_port="patch-int" actions=output:"patch-int"'
    )
    assert not list(unknowns(read("table=0,in_port=local actions=output:normal,IN_PORT")))


def test_the_order_of_fields_makes_no_other_flow_and_that_of_actions_does():
    flow = read("table=0,priority=1,dl_vlan=3,arp actions=output:1,output:2")
    assert flow == read("table=0,arp,dl_vlan=3,priority=1 actions=output:1,output:2")
    assert flow != read("table=0,arp,dl_vlan=3,priority=1 actions=output:2,output:1")
    assert flow != read("table=0,arp,dl_vlan=4,priority=1 actions=output:1,output:2")
    assert flow != read("table=0,arp,dl_vlan=3,priority=2 actions=output:1,output:2")


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("eth_type=0x800,ip_src=10.0.0.0/8 actions=drop", "ip,nw_src=10.0.0.0/8"),
        ("ip,nw_src=10.0.0.1/32 actions=drop", "ip,nw_src=10.0.0.1"),
        ("ip,nw_src=0.0.0.0/0 actions=drop", "ip"),
        ("ip,nw_proto=6 actions=drop", "tcp"),
        ("eth_dst=1:0:0:0:0:0A actions=drop", "dl_dst=01:00:00:00:00:0a"),
        ("arp,arp action=drop", "arp"),
        ("udp,tp_src=53 actions=drop", "udp,udp_src=53"),
        ("sctp6,tp_dst=0x50/0xf0 actions=drop", "sctp6,sctp_dst=80/240"),
        ("icmp6,icmp_type=135 actions=drop", "icmp6,icmpv6_type=135"),
        ("arp,nw_src=10.0.0.1,nw_proto=1 actions=drop", "arp,arp_spa=10.0.0.1,arp_op=1"),
        ("ip,nw_src=10.0.0.1/8 actions=drop", "ip,nw_src=10.0.0.0/8"),
        ("ipv6,ipv6_src=2001:DB8::1/32 actions=drop", "ipv6,ipv6_src=2001:db8::/32"),
        ("ip,ip_dscp=8 actions=drop", "ip,nw_tos=32"),
        ("xreg1=0x100000002 actions=drop", "reg2=0x1,reg3=0x2"),
        ("xxreg0=5/0xff actions=drop", "reg3=0x5/0xff"),
        ("reg0[0..3]=1,reg0[8]=1 actions=drop", "reg0=0x101/0x10f"),
        ("vlan_vid=0x1005 actions=drop", "dl_vlan=5"),
        ("vlan_tci=0x7005 actions=drop", "dl_vlan=5,dl_vlan_pcp=3"),
        ("vlan_pcp=3 actions=drop", "vlan_tci=0x1000/0x1000,dl_vlan_pcp=3"),
        ("dl_vlan=0xffff actions=drop", "vlan_tci=0x0000/0x1fff"),
        ("ct_state=0x21/0x23 actions=drop", "ct_state=+new-est+trk"),
        ("tcp,tcp_flags=0x12 actions=drop", "tcp,tcp_flags=syn|ack"),
        ("ip,ip_frag=later actions=drop", "ip,nw_frag=later"),
        ("in_port=65534 actions=drop", "in_port=LOCAL"),
        ("reg0=010,dl_src=*,eth actions=drop", "reg0=0x8"),
        ("duration=1.5s,n_packets=3,n_bytes=4,idle_age=5,arp actions=drop", "arp"),
    ],
)
def test_what_can_be_written_in_many_ways_is_printed_in_one(written: str, printed: str):
    assert (
        str(read(f"table=0,priority=1,{written}")) == f"table=0,priority=1,{printed} actions=drop"
    )


def test_settings_are_printed_as_ovs_ofctl_reads_them():
    line = "cookie=0x10,idle_timeout=5,hard_timeout=6,importance=7,send_flow_rem,no_byte_counts"
    flow = read(f"table=0,priority=1,{line} actions=drop")
    assert str(flow) == f"{line},table=0,priority=1 actions=drop"
    assert flow.installed() == str(flow)
    assert read(str(flow)) == flow != read("table=0,priority=1 actions=drop")
    assert read("table=0 actions=drop").installed().startswith(f"cookie={COOKIE:#x},table=0")


def test_a_flow_whose_priority_nobody_named_has_openflows_default():
    assert read("table=0,arp actions=drop").priority == 0x8000


@given(st.integers(0, (1 << 64) - 1))
def test_numbers_are_read_as_they_are_written(number: int):
    assert numbers.DECIMAL.read(numbers.DECIMAL.write(number)) == number
    assert numbers.HEX.read(numbers.HEX.write(number)) == number
    notations = numbers.MAC, numbers.IPV4, numbers.IPV6, numbers.PORT, numbers.PACKET_TYPE
    limits = 1 << 48, 1 << 32, 1 << 64, 0xFF00, 1 << 32
    for notation, limit in zip(notations, limits, strict=True):
        valid = number % limit
        assert notation.read(notation.write(valid)) == valid


@pytest.mark.parametrize("name", RESERVED_PORTS)
def test_reserved_ports_are_written_by_name_and_read_in_any_case(name: str):
    assert numbers.PORT.write(RESERVED_PORTS[name]) == name
    assert numbers.PORT.read(name.lower()) == RESERVED_PORTS[name]


@given(st.text(max_size=20))
def test_what_is_no_number_is_explained(text: str):
    for notation in (numbers.DECIMAL, numbers.HEX, numbers.MAC, numbers.IPV4, numbers.PORT):
        try:
            assert notation.read(text) >= 0
        except ValueError as error:
            assert repr(text)[1:-1] in str(error) or text in str(error)
