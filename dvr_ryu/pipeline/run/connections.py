"""Connections as values: what ct knows of a packet's connection in its zone, as Linux's conntrack.

A connection that was committed is known by the ends of its first packet, and by the ends that
replies have: nat makes them differ. Nothing ends by itself: there is no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from attrs import evolve, frozen

from dvr_ryu.pipeline.language.fields import IP, IP6, TRANSPORTS
from dvr_ryu.pipeline.language.flags import CT_STATE, TCP_FLAGS
from dvr_ryu.pipeline.run.headers import Fields
from dvr_ryu.pipeline.run.packet import (
    ECHO6_REPLY,
    ECHO6_REQUEST,
    ECHO_REPLY,
    ECHO_REQUEST,
    ICMP,
    ICMPV6,
    TCP,
)

NEW, EST, REL, RPL, INV, TRK, SNAT, DNAT = (
    CT_STATE.bits[name] for name in ("new", "est", "rel", "rpl", "inv", "trk", "snat", "dnat")
)
_ADDRESSES = {IP: ("nw_src", "nw_dst"), IP6: ("ipv6_src", "ipv6_dst")}
_SYN, _ACK = (TCP_FLAGS.bits[name] for name in ("syn", "ack"))
_ECHO_KINDS = {
    ICMP: ("icmp_type", ECHO_REQUEST, ECHO_REPLY),
    ICMPV6: ("icmpv6_type", ECHO6_REQUEST, ECHO6_REPLY),
}


class Ends(NamedTuple):
    """The ends of a packet's connection. Of an echo, both ports are its identifier."""

    dl_type: int
    protocol: int
    src: int
    dst: int
    src_port: int
    dst_port: int

    def reversed(self) -> Ends:
        """The ends as the other side sends."""
        return Ends(self.dl_type, self.protocol, self.dst, self.src, self.dst_port, self.src_port)


@frozen
class Connection:
    """A committed connection in a zone."""

    zone: int
    original: Ends
    """The ends of the first packet, as it came."""
    reply: Ends
    """The ends that packets of the other side have, as they come."""
    mark: int = 0
    label: int = 0
    replied: bool = False
    """Whether the other side has sent."""


def ends_of(fields: Fields) -> Ends | None:
    """The ends of a packet's connection; None if it is not IP. A later fragment has no ports."""
    dl_type = fields.get("dl_type", 0)
    if dl_type not in _ADDRESSES:
        return None
    src, dst = (fields.get(name, 0) for name in _ADDRESSES[dl_type])
    protocol = fields.get("nw_proto", 0)
    if protocol in TRANSPORTS:
        ports = [fields.get(f"{TRANSPORTS[protocol]}_{side}", 0) for side in ("src", "dst")]
        return Ends(dl_type, protocol, src, dst, *ports)
    identifier = fields.get("icmp_id", 0) if protocol in _ECHO_KINDS else 0
    return Ends(dl_type, protocol, src, dst, identifier, identifier)


def with_ends(fields: Mapping[str, int], ends: Ends) -> Fields:
    """The packet's fields with other ends; of a later fragment, only the addresses change."""
    changed = dict(zip(_ADDRESSES[ends.dl_type], (ends.src, ends.dst), strict=True))
    if ends.protocol in TRANSPORTS:
        name = TRANSPORTS[ends.protocol]
        changed |= {f"{name}_src": ends.src_port, f"{name}_dst": ends.dst_port}
    elif ends.protocol in _ECHO_KINDS:
        changed["icmp_id"] = ends.src_port
    return {**fields, **{name: value for name, value in changed.items() if name in fields}}


def find(connections: Iterable[Connection], zone: int, ends: Ends) -> Connection | None:
    """The connection of a packet with these ends in a zone."""
    known = (each for each in connections if each.zone == zone)
    return next((each for each in known if ends in (each.original, each.reply)), None)


def may_begin(fields: Fields) -> bool:
    """Whether a packet may be the first of a connection."""
    protocol = fields.get("nw_proto", 0)
    if protocol == TCP:
        flags = fields.get("tcp_flags", _SYN)
        return not (flags & _SYN and flags & _ACK)
    if protocol in _ECHO_KINDS:
        name, request, _ = _ECHO_KINDS[protocol]
        return fields.get(name, 0) == request
    return True


def state_of(connection: Connection | None, ends: Ends | None, fields: Fields) -> int:
    """ct_state of a packet, given its connection."""
    if ends is None:
        return TRK | INV
    if connection is None:
        return TRK | (NEW if may_begin(fields) else INV)
    if ends == connection.original:
        return TRK | (EST if connection.replied else NEW)
    return TRK | EST | RPL


def seen(connection: Connection, ends: Ends) -> Connection:
    """The connection after a packet with these ends."""
    replied = connection.replied or ends != connection.original
    return evolve(connection, replied=replied)


def translated(connection: Connection, ends: Ends) -> Ends:
    """The ends that a packet of the connection has after its nat."""
    if ends == connection.original:
        return connection.reply.reversed()
    return connection.original.reversed()
