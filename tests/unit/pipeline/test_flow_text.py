"""A flow prints as text that is the same flow; numbers are read as they are written."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.pipeline import numbers
from dvr_ryu.pipeline.numbers import RESERVED_PORTS
from dvr_ryu.pipeline.operands import PortName, fill, unknowns
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


def test_plain_names_need_no_quotes_and_reserved_words_are_no_names():
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
        ("eth_type=0x800,ip_src=10.0.0.0/8 actions=drop", "ip,nw_src=10.0.0.0/255.0.0.0"),
        ("ip,nw_src=10.0.0.1/32 actions=drop", "ip,nw_src=10.0.0.1"),
        ("ip,nw_src=0.0.0.0/0 actions=drop", "ip"),
        ("ip,nw_proto=6 actions=drop", "tcp"),
        ("eth_dst=1:0:0:0:0:0A actions=drop", "dl_dst=01:00:00:00:00:0a"),
        ("arp,arp action=drop", "arp"),
    ],
)
def test_what_can_be_written_in_many_ways_is_printed_in_one(written: str, printed: str):
    assert (
        str(read(f"table=0,priority=1,{written}")) == f"table=0,priority=1,{printed} actions=drop"
    )


def test_a_flow_whose_priority_nobody_named_has_openflows_default():
    assert read("table=0,arp actions=drop").priority == 0x8000


@given(st.integers(0, (1 << 64) - 1))
def test_numbers_are_read_as_they_are_written(number: int):
    assert numbers.DECIMAL.read(numbers.DECIMAL.write(number)) == number
    assert numbers.HEX.read(numbers.HEX.write(number)) == number
    for form, bits in ((numbers.MAC, 48), (numbers.IPV4, 32), (numbers.PORT, 32)):
        cut = number % (1 << bits)
        assert form.read(form.write(cut)) == cut
        assert form.write(form.read(form.write(cut))) == form.write(cut)


@pytest.mark.parametrize("name", RESERVED_PORTS)
def test_reserved_ports_are_written_by_name_and_read_in_any_case(name: str):
    assert numbers.PORT.write(RESERVED_PORTS[name]) == name
    assert numbers.PORT.read(name.lower()) == RESERVED_PORTS[name]


@given(st.text(max_size=20))
def test_what_is_no_number_is_said_for_people(text: str):
    for form in (numbers.DECIMAL, numbers.HEX, numbers.MAC, numbers.IPV4, numbers.PORT):
        try:
            assert form.read(text) >= 0
        except ValueError as error:
            assert repr(text)[1:-1] in str(error) or text in str(error)
