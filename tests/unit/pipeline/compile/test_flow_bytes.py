"""Flows as bytes: cut out of a flow-mod; matches have one order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes, canonical_matches, split_flow_mod
from dvr_ryu.pipeline.compile.flow_mods import ADD
from tests.unit.pipeline.flow_text import flow_mod
from tests.unit.pipeline.flows_in_bytes import OXM, canonical, match_fields


@given(match_fields(), st.data())
def test_the_order_of_fields_makes_no_other_match(fields: list[bytes], drawn: st.DataObject):
    shuffled = drawn.draw(st.permutations(fields))
    match = canonical(b"".join(fields))
    assert match == canonical(b"".join(shuffled))
    assert len(match) == sum(map(len, fields))
    assert canonical(match) == match
    assert all(field in match for field in fields)


@given(match_fields())
def test_openflows_own_fields_come_first_and_by_number(fields: list[bytes]):
    match, heads = canonical(b"".join(fields)), []
    while match:
        heads.append(OXM.unpack_from(match)[:2])
        match = match[4 + match[3] :]
    own = [number for kind, number in heads if kind == 0x8000]
    assert own == sorted(own)
    assert [kind for kind, _ in heads[: len(own)]] == [0x8000] * len(own)


@given(st.lists(match_fields(), min_size=1, max_size=9), st.data())
def test_many_matches_are_put_in_order_as_each_is(some: list[list[bytes]], drawn: st.DataObject):
    """Also where the same ones come again and again, as they do in a dump."""
    joined = [b"".join(fields) for fields in some]
    length = len(drawn.draw(st.sampled_from(joined)))
    matches = [match for match in joined for _ in range(3) if len(match) == length]
    for _ in range(2):
        assert list(canonical_matches(matches)) == [canonical(match) for match in matches]


@pytest.mark.parametrize("count", range(9))
def test_a_match_of_any_length_is_padded_to_eight_bytes(count: int):
    field = OXM.pack(0x8000, 0, count) + bytes(count)
    flow = FlowBytes(bytes(3) + field, bytes(16) + b"instruct")
    message = flow_mod(4, 1, ADD, flow)
    assert len(message) == 48 + (4 + 4 + count + 7) // 8 * 8 + 8
    assert split_flow_mod(message) == flow
