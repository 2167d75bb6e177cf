"""Of a packet-in, only the port's number is read, and nothing in it can do harm."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ryu.ofproto import ofproto_v1_3_parser, ofproto_v1_4_parser
from ryu.ofproto.ofproto_protocol import ProtocolDesc

from dvr_ryu.switch.guard.guard import MessageGuard
from dvr_ryu.switch.guard.openflow import Kind
from dvr_ryu.switch.guard.packet_in import in_port
from tests import openflow_messages as of

PARSERS = {4: ofproto_v1_3_parser, 5: ofproto_v1_4_parser}


def packet_in(version: int, **fields: object) -> bytes:
    """A message as Ryu, which knows the format, makes its match."""
    match = bytearray()
    PARSERS[version].OFPMatch(**fields).serialize(match, 0)
    body = struct.pack("!IHBBQ", 0xFFFFFFFF, 60, 1, 0, 7) + match + bytes(2) + bytes(60)
    return of.message(version, of.PACKET_IN, 0, body)


@pytest.mark.parametrize("version", [4, 5])
def test_the_ports_number_is_found_among_other_fields(version: int):
    assert ProtocolDesc(version=version)
    assert in_port(packet_in(version, in_port=33000)) == 33000
    assert in_port(packet_in(version, in_port=33000, tunnel_id=5, metadata=(1, 1))) == 33000
    assert in_port(packet_in(version, tunnel_id=5)) is None


@given(st.binary(max_size=120), st.integers(0, 120))
def test_any_bytes_are_read_or_dropped(rest: bytes, cut: int):
    whole = packet_in(5, in_port=33000)
    for message in (whole[:cut] + rest, of.message(5, of.PACKET_IN, 0, rest)):
        assert in_port(message) is None or isinstance(in_port(message), int)


def test_one_that_does_not_say_its_port_is_dropped():
    guard = MessageGuard([5])
    assert [each.kind for each in guard.feed(of.message(5, 0, 1))] == [Kind.HELLO]
    assert list(guard.feed(of.message(5, of.PACKET_IN, 0, bytes(1000)))) == []
    assert [each.kind for each in guard.feed(packet_in(5, in_port=7))] == [Kind.PACKET_IN]
