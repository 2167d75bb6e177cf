"""Connection tracking: which connection a packet belongs to. Pure.

Connections never expire here, and a packet's place in its connection does not count: dvr_ryu's
namespaces are liberal with TCP.
"""

from __future__ import annotations

from enum import Enum

from attrs import define

from dvr_ryu.pipeline.run.packet import ICMP, Packet
from dvr_ryu.trace.kernel.netfilter.iptables import PORTS
from dvr_ryu.trace.kernel.state import Connection, NamespaceState, Tuple

ICMP_ERRORS = frozenset({3, 4, 5, 11, 12})
"""The types of ICMP messages that quote another packet."""
_BEGINNINGS = frozenset({8, 13, 15, 17})
"""The types of ICMP messages that begin a connection."""
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16


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
    """What conntrack says of a packet. A new connection is in the state only once `confirmed`."""
    if is_icmp_error(packet):
        return _related(state, packet)
    direction = tuple_of(packet)
    known = state.connections.get(direction)
    if known is not None:
        return Tracking(Status.KNOWN, known, direction != known.original, True, True)
    if not _may_begin(packet, tcp_loose):
        return Tracking(Status.INVALID)
    return Tracking(Status.NEW, Connection(direction, direction.inverse))


def confirmed(state: NamespaceState, tracking: Tracking | None) -> dict[Tuple, Connection] | None:
    """The connections with a packet's new one among them; None if it has no new one."""
    if tracking is None or tracking.status is not Status.NEW:
        return None
    connection = tracking.connection
    assert connection is not None, "a new connection has its tuples"
    both = dict.fromkeys(connection, connection)
    return {**state.connections, **both}


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
        flags = packet["tcp_flags"]
        if flags & _SYN:
            return not flags & (_ACK | _RST | _FIN)
        return tcp_loose and bool(flags & _ACK) and not flags & (_RST | _FIN)
    return packet["nw_proto"] != ICMP or packet["icmp_type"] in _BEGINNINGS
