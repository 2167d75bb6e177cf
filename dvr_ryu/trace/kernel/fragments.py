"""Fragments of packets: cut where a device's MTU needs it, put together where they arrive. Pure.

Each fragment carries the whole packet as its payload, so that no data is needed.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.trace.kernel.visit import Visit

_HEADER, _UNIT = 20, 8
_FIRST, _LATER = 1, 3
_TRANSPORT = ("tcp_", "udp_", "sctp_", "icmp_")


def cut(packet: Packet, mtu: int) -> Iterator[Packet]:
    """The fragments of a packet: the packet itself, if it is short enough."""
    if packet.size <= mtu:
        yield packet
        return
    whole = evolve(packet, payload=None)
    room = (mtu - _HEADER) // _UNIT * _UNIT
    left, kind = packet.size - _HEADER, _FIRST
    while left > 0:
        size = min(room, left)
        yield _fragment(whole, size + _HEADER, kind)
        left, kind = left - size, _LATER


def _fragment(whole: Packet, size: int, kind: int) -> Packet:
    fields = dict(whole.fields)
    if kind == _LATER:  # the transport's header is in the first one
        fields = {name: value for name, value in fields.items() if not name.startswith(_TRANSPORT)}
    return Packet({**fields, "nw_frag": kind}, size, whole.quoted, whole)


def put_together(visit: Visit, packet: Packet) -> Packet | None:
    """The whole packet, once its last fragment is here; None until then."""
    whole = packet.payload
    if not packet["nw_frag"] or whole is None:
        return packet
    here = [each for each in visit.state.fragments if each.payload == whole]
    others = tuple(each for each in visit.state.fragments if each.payload != whole)
    here.append(packet)
    if sum(each.size - _HEADER for each in here) < whole.size - _HEADER:
        visit.learn(fragments=(*others, *here))
        return None
    visit.learn(fragments=others)
    first = next(each for each in here if each["nw_frag"] == _FIRST)
    return evolve(first.having(nw_frag=0), size=whole.size, payload=None)
