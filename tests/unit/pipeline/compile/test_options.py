"""Tunnels' options: a switch tells them at the length that they have in its table; it is the same
flow.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvr_ryu.pipeline.compile.encode import encode
from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes
from dvr_ryu.pipeline.compile.option_lengths import same_but_option_lengths
from dvr_ryu.pipeline.language.syntax import parse_flow, parse_pipeline
from dvr_ryu.pipeline.tools.lint import problems
from tests.unit.pipeline.flows_in_bytes import canonical
from tests.unit.pipeline.language.bad_flows import table_with

LENGTHS = range(4, 125, 4)
"""Bytes that an option may have."""


def encoded(line: str) -> FlowBytes:
    return encode(parse_flow(line))


@given(st.sampled_from(LENGTHS), st.integers(0, 63), st.data())
def test_an_option_of_any_length_is_the_same_match(length: int, number: int, drawn: st.DataObject):
    most = (1 << drawn.draw(st.integers(1, 8 * length))) - 1
    mask = drawn.draw(st.none() | st.integers(0, most))
    value = drawn.draw(st.integers(0, most)) & (most if mask is None else mask)
    if mask and not mask & (mask + 1) and not mask.bit_length() % 32:
        return  # refused: see bad_flows
    text = f"tun_metadata{number}={value}" + (f"/{mask}" if mask is not None else "")
    parts = [value] if mask is None else [value, mask]
    content = b"".join(part.to_bytes(length, "big") for part in parts)
    head = bytes([0, 1, 40 + number << 1 | (mask is not None), len(content)])
    assert canonical(head + content) == encoded(f"{text} actions=drop").identity[3:]


def test_whether_an_option_is_there_is_another_match_than_that_it_is_zero():
    identities = {encoded(f"{text} actions=drop").identity for text in ("", "tun_metadata3")}
    identities |= {encoded(f"tun_metadata3={text} actions=drop").identity for text in ("0", "0/1")}
    assert len(identities) == 4


ACTIONS = (
    "move:tun_metadata0[0..31]->reg0[],move:reg0[]->tun_metadata0[0..31]",
    "push:tun_metadata0[0..31],pop:tun_metadata0[0..7],output:tun_metadata0[0..15]",
    "delete_field:tun_metadata0,load:0x1507c->reg0[],note:00.01.50.7c",
    "multipath(eth_src,50,modulo_n,4,0,tun_metadata0[0..7])",
    "bundle_load(eth_src,0,hrw,ofport,tun_metadata0[0..15],members:1)",
    "check_pkt_larger(100)->tun_metadata0[0],write_actions(move:reg0[]->tun_metadata0[0..31])",
    "ct(commit,zone=tun_metadata0[0..15],exec(move:tun_metadata0[0..31]->ct_mark))",
    "clone(clone(push:tun_metadata0[0..7]),ct(exec(move:tun_metadata0[0..31]->ct_mark),commit))",
    "learn(table=1,tun_metadata0[0..31],NXM_NX_REG1[]=0x1507c,NXM_NX_REG0[]=tun_metadata0[0..31],"
    "load:0x1507c->reg0[],load:reg0[]->tun_metadata0[0..31],output:tun_metadata0[0..15])",
    "learn(table=1,limit=3,result_dst=tun_metadata0[0],reg0[]=tun_metadata0[0..31])",
    "learn(table=1,limit=3,reg0[]=tun_metadata0[0..31],load:0x1507c->reg0[])",
)
NAME, DATA = b"\0\1\x50\x7c", b"\0\1\x50\x04"


@pytest.mark.parametrize("actions", ACTIONS)
def test_a_name_of_any_length_is_the_same_but_data_like_a_name_are_not(actions: str):
    value = encoded(f"ip actions={actions}").value
    locations = [found.start() for found in re.finditer(re.escape(NAME), value)]
    outcomes = [
        same_but_option_lengths(value[:at] + DATA + value[at + 4 :], value) for at in locations
    ]
    data = actions.count("1507c") + actions.count("00.01.50.7c")
    assert outcomes.count(False) == data
    assert outcomes.count(True) == len(locations) - data >= 1
    assert not same_but_option_lengths(value + bytes(8), value)


def test_lint_takes_a_packet_without_the_option_for_another():
    lines = "priority=2,tun_metadata0 actions=1\n  priority=1,ip actions=2\n  priority=0 actions=3"
    pipeline = parse_pipeline(table_with(lines), "f", "br-tun")
    assert not [each for each in problems(pipeline) if "never reached" in each.message]
    lines = "priority=2,tun_metadata0 actions=1\n  priority=1,tun_metadata0=5 actions=2"
    pipeline = parse_pipeline(table_with(lines), "f", "br-tun")
    assert [each for each in problems(pipeline) if "never reached" in each.message]
