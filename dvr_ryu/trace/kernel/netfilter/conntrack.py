"""Connection tracking: which connection a packet belongs to. Pure.

Connections never expire here, and sequence numbers do not count: dvr_ryu's namespaces are liberal
with TCP.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from attrs import define

from dvr_ryu.pipeline.run.packet import ICMP, Packet
from dvr_ryu.trace.kernel.netfilter import tcp
from dvr_ryu.trace.kernel.netfilter.iptables import PORTS
from dvr_ryu.trace.kernel.state import ICMP_ANSWERS, Connection, NamespaceState, Tuple

ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})
"""The types of ICMP messages that quote another packet."""


class Status(Enum):
    """What conntrack says of a packet."""

    NEW = "new"
    KNOWN = "known"
    RELATED = "related"
    """An ICMP error about a packet of a known connection."""
    INVALID = "invalid"
    UNTRACKED = "untracked"


@define
class Tracking:
    """What conntrack notes about one packet on its way through a namespace."""

    status: Status
    connection: Connection | None = None
    is_answer: bool = False
    """Whether it goes in the direction of answers."""
    has_source: bool = False
    has_destination: bool = False
    """Whether it is decided if a new connection gets another source, another destination."""

    @property
    def states(self) -> frozenset[str]:
        """The states that --ctstate matches."""
        own = {self.status.name}
        if self.connection is not None:
            own |= {"SNAT"} if self.connection.is_snat else set()
            own |= {"DNAT"} if self.connection.is_dnat else set()
        return frozenset(own)


def tuple_of(packet: Packet) -> Tuple:
    """The direction of a packet that is no ICMP error."""
    protocol, src, dst = packet["nw_proto"], packet["nw_src"], packet["nw_dst"]
    if protocol == ICMP:
        return Tuple(protocol, src, dst, packet["icmp_id"], packet["icmp_type"])
    name = PORTS.get(protocol)
    if name is None:
        return Tuple(protocol, src, dst, 0, 0)
    return Tuple(protocol, src, dst, packet[f"{name}_src"], packet[f"{name}_dst"])


def is_icmp_error(packet: Packet) -> bool:
    """Whether it is an ICMP message about another packet."""
    return packet["nw_proto"] == ICMP and packet["icmp_type"] in ICMP_ERRORS


def track(state: NamespaceState, packet: Packet, *, tcp_loose: bool) -> Tracking:
    """What conntrack says of a packet. Its connection is in the state only `with_packet`."""
    if is_icmp_error(packet):
        return _related(state, packet)
    direction = tuple_of(packet)
    known = state.connections.get(direction)
    if known is not None and not _begins_anew(known, packet):
        return _known(known, packet, direction != known.original)
    if not _may_begin(packet, tcp_loose):
        return Tracking(Status.INVALID)
    first = tcp.next_state(tcp.NEW, packet["tcp_flags"], is_answer=False) or ""
    return Tracking(Status.NEW, Connection(direction, direction.inverse, first))


def _known(connection: Connection, packet: Packet, is_answer: bool) -> Tracking:
    """A packet of a known connection, which it changes."""
    if "tcp_flags" in packet:
        then = tcp.next_state(connection.tcp, packet["tcp_flags"], is_answer=is_answer)
        if then is None:
            return Tracking(Status.INVALID)
        if then != tcp.IGNORED:
            connection = connection._replace(tcp=then)
    return Tracking(Status.KNOWN, connection, is_answer, True, True)


def _begins_anew(known: Connection, packet: Packet) -> bool:
    """Whether a SYN begins a connection between the ends of one that has ended."""
    is_first = tuple_of(packet) == known.original and "tcp_flags" in packet
    return is_first and known.tcp == tcp.CLOSED and packet["tcp_flags"] & tcp.SYN_ACK == tcp.SYN


def with_packet(state: NamespaceState, tracking: Tracking) -> Mapping[Tuple, Connection]:
    """The connections after a packet of one. A reset that is the first answer ends it."""
    connection = tracking.connection
    assert connection is not None, "a connection has its tuples"
    if tracking.is_answer and not connection.is_answered:
        if connection.tcp == tcp.CLOSED:
            ends = (connection.original, connection.reply)
            return {each: its for each, its in state.connections.items() if each not in ends}
        connection = connection._replace(is_answered=True)
    return {
        **state.connections,
        connection.original: connection,
        connection.reply: connection,
    }


def of_error(about: Tracking | None) -> Tracking | None:
    """The tracking of an ICMP error that the kernel itself makes, by that of the packet that it is
    about: also of one that never became a known connection.
    """
    if about is None or about.connection is None:
        return None
    return Tracking(Status.RELATED, about.connection, not about.is_answer, True, True)


def _related(state: NamespaceState, error: Packet) -> Tracking:
    quoted = error.quoted
    if quoted is None or is_icmp_error(quoted):
        return Tracking(Status.INVALID)
    answer = tuple_of(quoted).inverse
    known = state.connections.get(answer)
    if known is None or error["nw_dst"] != answer.dst:
        return Tracking(Status.INVALID)
    return Tracking(Status.RELATED, known, answer != known.original, True, True)


def _may_begin(packet: Packet, tcp_loose: bool) -> bool:
    """Whether a packet of no known connection may begin one."""
    if "tcp_flags" in packet:
        first = tcp.next_state(tcp.NEW, packet["tcp_flags"], is_answer=False)
        return first is not None and (tcp_loose or bool(packet["tcp_flags"] & tcp.SYN))
    return packet["nw_proto"] != ICMP or packet["icmp_type"] in ICMP_ANSWERS
