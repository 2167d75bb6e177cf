"""Flows as bytes, for property tests; and as Ryu writes them."""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from dvr_ryu.pipeline.compile.flow_bytes import FlowBytes, canonical_matches, is_option
from dvr_ryu.pipeline.language.operands import fill
from tests.unit.pipeline.flow_text import read, serialised

OXM = struct.Struct("!HBB")


@st.composite
def match_fields(draw: st.DrawFn) -> list[bytes]:
    """Fields of a match, OpenFlow's own and others but tunnels' options, no two of them the same
    one.
    """
    heads = st.tuples(st.sampled_from([0x8000, 0x0000, 0x0001, 0xFFFF]), st.integers(0, 255))
    heads = heads.filter(lambda head: not is_option(OXM.pack(*head, 0)))
    return [
        OXM.pack(*head, len(payload)) + payload
        for head, payload in zip(
            draw(st.lists(heads, unique=True, max_size=8)),
            draw(st.lists(st.binary(max_size=20), min_size=8, max_size=8)),
            strict=False,
        )
    ]


def canonical(match: bytes) -> bytes:
    """One match with its fields in order."""
    (ordered,) = canonical_matches([match])
    return ordered


@st.composite
def flow_bytes(draw: st.DrawFn) -> FlowBytes:
    table_and_priority = draw(st.binary(min_size=3, max_size=3))
    match = canonical(b"".join(draw(match_fields())))
    instructions = b"".join(draw(st.lists(st.binary(min_size=8, max_size=8), max_size=9)))
    value = draw(st.binary(min_size=16, max_size=16)) + instructions
    return FlowBytes(table_and_priority + match, value)


few_shapes = st.builds(
    lambda head, match, value, instructions: FlowBytes(head + match, value + instructions),
    st.sampled_from([b"\0\0\1", b"\0\0\2", b"\1\0\1"]),
    st.sampled_from([b"", b"\x80\0\0\1a", b"\x80\0\0\1b", b"\x80\0\0\2bc"]),
    st.sampled_from([bytes(16), bytes(15) + b"\1", bytes(4) + b"\1" + bytes(11)]),
    st.sampled_from([b"", 8 * b"a", 8 * b"b", 16 * b"c"]),
)
"""Flows that are alike in length or head rather often."""


def ryus_message(line: str) -> bytes:
    """The line as Ryu writes it, on a bridge each of whose ports is number 7."""
    return serialised(fill(read(line), lambda _: 7))
