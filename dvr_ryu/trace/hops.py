"""Defines a packet's way as values: probes, hops, the verdict. Pure data; `network` makes them.

A trace is a tree: each hop is one visit of a packet to one bridge, one namespace or one tunnel, and
names the hop that it came from. Hops are in the order of time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum

from attrs import frozen

from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.pipeline.run.steps import Step as FlowStep
from dvr_ryu.trace.endpoints import Receiver, Sender
from dvr_ryu.trace.kernel.outcome import Delivery, Drop
from dvr_ryu.trace.kernel.outcome import Step as KernelStep

ICMP, TCP, UDP, ARP = "icmp", "tcp", "udp", "arp"
"""The protocols of a probe."""


@frozen
class Probe:
    """The packet that a trace sends: a ping, the first packet of a connection or an ARP request.

    `port` is the destination port of TCP and UDP; `size` the bytes of the IP packet, None for those
    of a usual one.
    """

    protocol: str = ICMP
    port: int = 0
    size: int | None = None


PING = Probe()
"""A ping as ping(8) sends it without options."""


class Kind(Enum):
    """The kind of a hop's node."""

    NAMESPACE = "namespace"
    BRIDGE = "bridge"
    TUNNEL = "tunnel"


class Strand(Enum):
    """The part of a trace that a hop belongs to."""

    WAY = "way"
    """The probe's packet, or the answer in the trace of an answer."""
    ERROR = "error"
    """An ICMP error about it."""
    ARP = "arp"
    """A question for a neighbour, and its answer."""


@frozen
class TunnelStep:
    """The step of a tunnel: a packet gets its outer header, and another host takes that off."""

    text: str


Step = FlowStep | KernelStep | TunnelStep


@frozen
class Output:
    """A packet that leaves a hop's node by a port or device, and the number of its next hop: None
    if no cable leads on.
    """

    port: str
    packet: Packet
    hop: int | None = None


@frozen
class Hop:
    """One visit of a packet to a node of a host: a bridge, a namespace ("" is the host's own) or a
    tunnel, which has its port's name.

    `port` is the port or device by which the packet entered; None if it was sent here. `packet` is
    as it entered; several outputs are copies. If the packet of another hop waited here for a
    neighbour, and this hop's ARP reply let it go, then `awaited` is that hop. Without outputs,
    deliveries and drops, the last step of a bridge is where its packet ends.
    """

    number: int
    parent: int | None
    strand: Strand
    host: str
    kind: Kind
    node: str
    port: str | None
    packet: Packet
    steps: tuple[Step, ...] = ()
    outputs: tuple[Output, ...] = ()
    delivered: tuple[Delivery, ...] = ()
    dropped: tuple[Drop, ...] = ()
    awaited: int | None = None
    looped: bool = False
    """Whether the packet came here before, or too many did: the trace follows it no further."""


class Outcome(Enum):
    """The end of a packet."""

    DELIVERED = "delivered"
    DROPPED = "dropped"
    UNANSWERED = "nobody answers"
    """ARP finds no neighbour with the next address."""
    REFUSED = "refused"
    """An ICMP error came back, or a RST: nothing listens, or the packet is too long."""
    LOOPED = "looped"


@frozen
class Verdict:
    """The end of a packet: its last hop, and a sentence about it.

    `owner` is the object there for people: "instance vm-68", "router r1", "host h1". `seen_as` is
    the source address that the receiver sees.
    """

    outcome: Outcome
    hop: int
    host: str
    owner: str
    seen_as: str | None
    reason: str

    @property
    def delivered(self) -> bool:
        """Whether the packet arrived."""
        return self.outcome is Outcome.DELIVERED

    def __str__(self) -> str:
        return f"{self.outcome.value}: {self.reason}"


@frozen
class Trace:
    """A packet's whole way; and that of its answer, if it was asked for and the packet arrived."""

    sender: Sender
    receiver: Receiver
    probe: Probe
    hops: tuple[Hop, ...]
    verdict: Verdict
    reply: Trace | None = None

    @property
    def answered(self) -> bool:
        """Whether the packet arrived, and its answer, too: the verdict of a real ping."""
        return self.verdict.delivered and self.reply is not None and self.reply.verdict.delivered

    @property
    def packet(self) -> Packet:
        """The packet as it was sent."""
        return self.hops[0].packet

    def way(self) -> list[Hop]:
        """The hops from the sender to the verdict, without branches and without ARP."""
        return list(lineage(self.hops, self.verdict.hop))[::-1]

    def deliveries(self) -> list[Hop]:
        """The hops that got the packet itself: more than one if it arrived twice."""
        return [hop for hop in self.hops if hop.delivered and hop.strand is Strand.WAY]


def lineage(hops: Sequence[Hop], number: int | None) -> Iterator[Hop]:
    """Yield a hop, the one that it came from, and so on to the first. A packet that waited for a
    neighbour came from the hop where it waited, not from the ARP reply.
    """
    while number is not None:
        hop = hops[number]
        yield hop
        number = hop.parent if hop.awaited is None else hop.awaited
