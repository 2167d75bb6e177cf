"""Defines an attempt: a packet that is tried, as a value. Pure."""

from __future__ import annotations

from enum import Enum

from attrs import evolve, frozen

from dvr_ryu.topology.expectation import Service
from dvr_ryu.trace.hops import Trace


class Kind(Enum):
    """What an attempt sends."""

    PACKET = "packet"
    """A ping, or the first packet of a connection."""
    ARP = "ARP"
    DHCP = "DHCP"
    """The question for an address, to all; `target` is the network."""


@frozen
class Attempt:
    """A packet that is tried: its ends in the words of `trace.endpoints`, and what it is.

    `key` is that of its class. `size` is the bytes of its IP packet; None for a usual ping.
    """

    key: int
    source: str
    target: str
    service: Service | None = None
    kind: Kind = Kind.PACKET
    size: int | None = None

    @property
    def small(self) -> Attempt:
        """The same with a packet of the usual size."""
        return evolve(self, size=None)

    def succeeds(self, trace: Trace) -> bool:
        """Whether a trace of it ends well: with an answer, which is part of a question by ARP."""
        return trace.verdict.delivered if self.kind is Kind.ARP else trace.answered

    def __str__(self) -> str:
        port = f" {self.service}" if self.service else ""
        kind = "" if self.kind is Kind.PACKET else f" ({self.kind.value})"
        kind = f" ({self.size} bytes)" if self.size else kind
        return f"{self.source} → {self.target}{port}{kind}"
