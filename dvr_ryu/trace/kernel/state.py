"""What a host's kernel remembers from packet to packet, as a value. Pure.

What resources say (permanent neighbours, routes, chains) is not here: see `namespace`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from attrs import evolve, field, frozen

from dvr_ryu.pipeline.run.packet import ICMP, Packet

ICMP_ANSWERS = {8: 0, 13: 14, 15: 16, 17: 18}
"""ICMP's types of questions → those of the answers."""
_OPPOSITES = {**ICMP_ANSWERS, **{answer: asks for asks, answer in ICMP_ANSWERS.items()}}


class Tuple(NamedTuple):
    """One direction of a connection. For an echo, `sport` is its identifier and `dport` its type;
    a protocol without ports has zeros."""

    proto: int
    src: int
    dst: int
    sport: int
    dport: int

    @property
    def inverse(self) -> Tuple:
        """The tuple of answers."""
        if self.proto == ICMP:
            opposite = _OPPOSITES.get(self.dport, self.dport)
            return Tuple(self.proto, self.dst, self.src, self.sport, opposite)
        return Tuple(self.proto, self.dst, self.src, self.dport, self.sport)


class Connection(NamedTuple):
    """A connection that conntrack knows: its first packet's direction as it came, and the direction
    in which answers come. Any difference besides the exchange of both ends is NAT."""

    original: Tuple
    reply: Tuple
    tcp: str = ""
    """The state of a TCP connection."""
    is_answered: bool = False

    @property
    def translated(self) -> Tuple:
        """Its first packet's direction as it leaves."""
        return self.reply.inverse

    @property
    def is_dnat(self) -> bool:
        """Whether its destination is translated: conntrack's state DNAT."""
        asked, got = self.original, self.translated
        return (asked.dst, asked.dport) != (got.dst, got.dport)

    @property
    def is_snat(self) -> bool:
        """Whether its source is translated: conntrack's state SNAT."""
        own, seen = self.original, self.translated
        return (own.src, own.sport) != (seen.src, seen.sport)


class Waiting(NamedTuple):
    """A packet that waits until the neighbour `ip` on `device` answers ARP."""

    device: str
    ip: int
    packet: Packet
    answers: bool
    """Whether it is the kernel's own answer to another packet."""


@frozen
class NamespaceState:
    """What one namespace remembers."""

    neighbours: Mapping[tuple[str, int], int] = field(factory=dict, eq=dict)
    """Device and address → MAC, as learned."""
    waiting: tuple[Waiting, ...] = ()
    connections: Mapping[Tuple, Connection] = field(factory=dict, eq=dict)
    """Each connection by both of its directions."""
    sockets: frozenset[Tuple] = frozenset()
    """TCP's, as their next segments come in: of connections that a program here began or took."""
    path_mtus: Mapping[int, int] = field(factory=dict, eq=dict)
    """Destination → the MTU that an ICMP error told."""
    fragments: tuple[Packet, ...] = ()
    """Those of packets that are not complete yet."""


@frozen
class KernelState:
    """What a host's kernel remembers, by namespace. A fresh one has just booted."""

    namespaces: Mapping[str, NamespaceState] = field(factory=dict, eq=dict)

    def of(self, namespace: str) -> NamespaceState:
        """The state of a namespace."""
        return self.namespaces.get(namespace, _EMPTY)

    def having(self, namespace: str, state: NamespaceState) -> KernelState:
        """This state with another one of a namespace."""
        return evolve(self, namespaces={**self.namespaces, namespace: state})

    @property
    def waiting(self) -> tuple[tuple[str, Waiting], ...]:
        """Every packet that waits for a neighbour, with its namespace."""
        return tuple(
            (name, each) for name, state in self.namespaces.items() for each in state.waiting
        )


_EMPTY = NamespaceState()
