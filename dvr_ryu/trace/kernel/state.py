"""What a host's kernel remembers from packet to packet, as a value. Pure.

What resources say (permanent neighbours, routes, chains) is not here: see `namespace`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from attrs import evolve, field, frozen

from dvr_ryu.pipeline.run.packet import Packet


class Tuple(NamedTuple):
    """One direction of a connection. For an echo, `sport` is its identifier and `dport` its type;
    a protocol without ports has zeros."""

    proto: int
    src: int
    dst: int
    sport: int
    dport: int


class Connection(NamedTuple):
    """A connection that conntrack knows: its first packet's direction as it came, and the direction
    in which answers come. Any difference besides the exchange of both ends is NAT."""

    original: Tuple
    reply: Tuple

    @property
    def is_dnat(self) -> bool:
        """Whether its destination is translated: conntrack's state DNAT."""
        original, reply = self
        return (reply.src, _far_port(reply)) != (original.dst, _far_port_asked(original))

    @property
    def is_snat(self) -> bool:
        """Whether its source is translated: conntrack's state SNAT."""
        original, reply = self
        return (reply.dst, _near_port(reply)) != (original.src, original.sport)


def _far_port(reply: Tuple) -> int:
    return 0 if reply.proto == ICMP else reply.sport


def _far_port_asked(original: Tuple) -> int:
    return 0 if original.proto == ICMP else original.dport


def _near_port(reply: Tuple) -> int:
    return reply.sport if reply.proto == ICMP else reply.dport


ICMP = 1


class Waiting(NamedTuple):
    """A packet that waits until the neighbour `ip` on `device` answers ARP."""

    device: str
    ip: int
    packet: Packet
    forwarded: bool
    """Whether another machine has sent it."""
    answers: bool = False
    """Whether it is the kernel's own answer to another packet."""


@frozen
class NamespaceState:
    """What one namespace remembers."""

    neighbours: Mapping[tuple[str, int], int] = field(factory=dict, eq=dict)
    """Device and address → MAC, as learned."""
    waiting: tuple[Waiting, ...] = ()
    connections: Mapping[Tuple, Connection] = field(factory=dict, eq=dict)
    """Each connection by both of its directions."""
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
