"""Holes of each kind that no shipped relation has yet, in a relation of this test's own."""

from __future__ import annotations

import re
from ipaddress import IPv6Address
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.errors import FileError
from dvr_ryu.pipeline.compile.basis import Basis
from dvr_ryu.pipeline.compile.binding import BridgeContext
from dvr_ryu.pipeline.compile.columns import Columns
from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes, split_flow_mod
from dvr_ryu.pipeline.compile.flow_mods import ADD, flow_mods
from dvr_ryu.pipeline.compile.template import Template
from dvr_ryu.pipeline.language.syntax import parse_pipeline
from dvr_ryu.topology.relations import (
    RELATIONS,
    Ipv6,
    Kind,
    L4Port,
    MaskedNumber,
    Name,
    Protocol,
    ThisHost,
)
from tests.unit.pipeline.flow_text import ipv6s, read, serialised
from tests.unit.pipeline.language.bad_flows import MARK, in_block
from tests.unit.pipeline.ovs_ofctl import by_ovs, ofctl, printed_flows


class Rule(NamedTuple):
    """A rule of a security group, perhaps."""

    name: Annotated[Name, "its name"]
    protocol: Annotated[Protocol, "its protocol"]
    port: Annotated[L4Port, "a port"]
    address: Annotated[Ipv6, "an address"]
    ports: Annotated[MaskedNumber, Kind.MASKED, 16, "some ports"]
    mark: Annotated[MaskedNumber, Kind.MASKED, 32, "some marks"]
    prefix: Annotated[MaskedNumber, Kind.MASKED, 128, "some addresses"]


LINES = [
    "ipv6,ipv6_src={rule.address},ipv6_dst={rule.address},nw_proto={rule.protocol} actions=drop",
    "tcp,tcp_src={rule.port},tcp_dst={rule.ports} actions=mod_tp_src:{rule.port}",
    "udp6,ipv6_src={rule.prefix},udp_dst={rule.ports},reg3={rule.mark} actions=output:1",
    "priority=7,ct_label={rule.prefix},tp_src={rule.port},udp,ct_mark={rule.mark} "
    "actions=mod_tp_dst:{rule.port},output:2",
    "icmp6,icmp_type=135,nd_target={rule.address} actions=set_field:{rule.address}->nd_target",
    "tun_ipv6_dst={rule.address} actions=set_field:{rule.address}->tun_ipv6_dst,"
    "set_field:{rule.address}->xxreg2,load:{rule.address}->NXM_NX_XXREG1[]",
    "ipv6 actions=load:{rule.port}->NXM_NX_REG0[3..18],load:{rule.protocol}->NXM_NX_REG1[],"
    "load:{rule.address}->NXM_NX_IPV6_SRC[]",
    "ip,ct_state=+trk+est,ct_nw_proto=17,ct_tp_src={rule.port},ct_tp_dst={rule.ports} actions=drop",
    "ipv6,ct_state=+trk+est,ct_nw_proto={rule.protocol},ct_ipv6_dst={rule.prefix} actions=drop",
    "ipv6,reg2={rule.port} actions=learn(table=2,eth_type=0x86dd,ipv6_dst={rule.address},"
    "load:{rule.address}->NXM_NX_XXREG0[])",
]
HOST = ThisHost("h", "10.0.0.1", "fa:16:3f:00:00:01")


def _masked(bits: int) -> st.SearchStrategy[MaskedNumber]:
    numbers = st.integers(0, (1 << bits) - 1)
    masks = numbers | st.sampled_from([0, (1 << bits) - 1, (1 << bits) - 8])
    return st.builds(MaskedNumber, numbers, masks)


rules = st.builds(
    Rule,
    st.just("x"),
    st.integers(1, 255),
    st.integers(0, 65535),
    ipv6s,
    _masked(16),
    _masked(32),
    _masked(128),
)


@pytest.fixture(autouse=True, scope="module")
def relation() -> Any:
    """The relation, for as long as these tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(RELATIONS, "rule", Rule)
        yield


def _by_text(line: str, rule: Rule) -> str:
    """The line of a row, by replacing text."""

    def value_of(hole: re.Match[str]) -> str:
        before, name, after = hole.groups()
        value = getattr(rule, name)
        if (isinstance(value, MaskedNumber) and before.startswith("ipv6")) or "ct_ipv6" in before:
            value = f"{IPv6Address(value.value)}/{IPv6Address(value.mask)}"
        elif isinstance(value, str) and ("load" in before or "xxreg" in after):
            value = hex(int(IPv6Address(value)))
        return f"{before}{value}{after}"

    return "table=1," + re.sub(r"(\w+[:=])\{rule\.(\w+)\}((?:->\w+)?)", value_of, line)


def _filled(line: str, rows: list[Rule]) -> dict[Rule, FlowBytes]:
    template = Template(read(f"table=1,{line}", "rule"))
    return {
        row: FlowBytes(identity, value)
        for filled in template.filled(Columns(rows, BridgeContext(HOST, {})))
        for row, identity, value in zip(
            filled.columns.rows, filled.identities, filled.values, strict=True
        )
    }


@pytest.mark.parametrize("line", LINES)
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(rules, min_size=1, max_size=5, unique=True))
def test_bytes_are_those_of_the_line_with_the_row_written_into_it(line: str, rows: list[Rule]):
    expected = {row: split_flow_mod(serialised(read(_by_text(line, row)))) for row in rows}
    assert _filled(line, rows) == expected


@settings(max_examples=40, deadline=None)
@given(row=rules, line=st.sampled_from(LINES))
def test_a_row_is_printed_as_it_is_written(row: Rule, line: str):
    template = Template(read(f"table=1,{line}", "rule"))
    (filled,) = template.filled(Columns([row], BridgeContext(HOST, {})))
    assert str(filled.flow_at(0)) == str(read(_by_text(line, row)))


ROWS = [
    Rule(
        "x",
        protocol,
        port,
        address,
        MaskedNumber(0x1F47, ports),
        MaskedNumber(0xFFFFFFFF, mark),
        MaskedNumber(int(IPv6Address("2001:db8::8000:0:0:1")), prefix),
    )
    for protocol, port, address, ports, mark, prefix in [
        (6, 0, "::", 0xFFF8, 0x00FF00FF, (1 << 128) - (1 << 96)),
        (255, 65535, "2001:db8::1", 0, 0, 0),
        (132, 53, "::ffff:1.2.3.4", 0xFFFF, 0xFFFFFFFF, (1 << 128) - 1),
        (1, 80, "fe80::1:2:3", 0x0001, 0x80000000, 0xF0F0 << 112 | 1),
    ]
]


def test_open_vswitch_reads_the_same(tmp_path: Path):
    texts = [_by_text(line, row) for line in LINES for row in ROWS]
    flows = [each for line in LINES for each in _in_order(line)]
    messages = [m.hex() for each in flows for m in flow_mods(5, ADD, dict([each]), [1])]
    by_us = [flow for message in messages for flow in printed_flows(ofctl("ofp-print", message))]
    assert by_us == by_ovs(texts, tmp_path)


def _in_order(line: str) -> list[FlowBytes]:
    filled = _filled(line, ROWS)
    return [filled[row] for row in ROWS]


def test_a_bridge_has_them_and_its_sentences_say_them():
    text = (
        "table 0 A\n  each rule:\n    # {rule.name}: {rule.ports} of {rule.address}\n"
        "    tcp6,ipv6_src={rule.address},tcp_dst={rule.ports} actions=drop\n  miss: drop\n"
    )
    pipeline = parse_pipeline(text, "f", "br-tun")

    class View:
        this_host = HOST
        rule = ROWS

    lines = tuple((relation, Template(flow)) for relation, flow in pipeline.flows())
    basis = Basis(lines, View(), {})  # type: ignore[arg-type]
    assert len(basis.desired()) == len(ROWS) + 1
    sentences = [flow.sentence for flow in basis.flows()]
    assert sentences[0] == "x: 0x1f47/0xfff8 of ::"


BAD_LINES = [
    ("ip,nw_proto=§{rule.port} actions=drop", "is an L4 port; an IP protocol must stand here"),
    ("tcp,tcp_dst=§{rule.protocol} actions=drop", "is an IP protocol; an L4 port must"),
    ("tcp,tcp_dst=§{rule.mark} actions=drop", "has 32 bits, and tcp_dst has 16"),
    ("ip,nw_dst=§{rule.address} actions=drop", "is an IPv6 address; an IPv4 address must"),
    ("ipv6,ipv6_dst=§{host.address} actions=drop", "is an IPv4 address; an IPv6 address must"),
    ("reg0=§{rule.address} actions=drop", "is an IPv6 address"),
    ("reg0=§{rule.ports} actions=drop", "has 16 bits, and reg0 has 32: take one of as many"),
    ("ip,nw_proto=§{rule.ports} actions=drop", "is a masked number, and nw_proto takes no mask"),
    ("tcp,tcp_dst={rule.ports}§/0xff actions=drop", "brings its own mask; leave /0xff out"),
    ("ipv6,ipv6_src={rule.address}§/64 actions=drop", "takes no mask: it is matched whole"),
    ("§xxreg0={rule.address} actions=drop", "xxreg0 takes no hole"),
    ("§xxreg0={rule.prefix} actions=drop", "xxreg0 takes no hole"),
    ("ip,§nw_tos={rule.protocol} actions=drop", "nw_tos takes no hole"),
    ("tun_metadata0=§{rule.address} actions=drop", "more than the 32 bits of any option"),
    ("tcp actions=mod_tp_dst:§{rule.ports}", "it stands only where a match may have a mask"),
    ("priority=1 actions=load:§{rule.mark}->NXM_NX_REG0[]", "only where a match may have a mask"),
    ("priority=1 actions=load:§{rule.address}->NXM_NX_REG0[]", "is an IPv6 address"),
    ("priority=1 actions=mod_vlan_vid:§{rule.port}", "is an L4 port; a VLAN tag must stand here"),
    ("priority=1 actions=output:§{rule.port}", "is an L4 port"),
    ("priority=1 actions=learn(table=1,tcp_dst=§{rule.ports})", "a match may have a mask"),
]


@pytest.mark.parametrize(("marked", "phrase"), BAD_LINES)
def test_a_hole_stands_only_where_its_kind_may(marked: str, phrase: str):
    text = in_block("rule", marked)
    at = text.index(MARK)
    with pytest.raises(FileError) as raised:
        parse_pipeline(text.replace(MARK, ""), "f", "br-tun")
    (problem,) = raised.value.problems
    assert phrase in problem.message
    line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    assert (problem.location.line, problem.location.column) == (line, column)
