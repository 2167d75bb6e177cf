"""What becomes of a packet in a host's kernel, as a value: steps, frames, deliveries and drops.
Pure.

A step's text has the words of iproute2 and iptables. Namespaces have the names that resources have:
"" is the host's own.
"""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple

from attrs import frozen

from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.pipeline.run.steps import Change
from dvr_ryu.trace.kernel.state import KernelState


class Kind(Enum):
    """What a step is about."""

    FRAME = "frame"
    """A device takes a frame or not."""
    ARP = "arp"
    RULE = "rule"
    """`ip rule`."""
    ROUTE = "route"
    """`ip route`."""
    NEIGHBOUR = "neigh"
    """`ip neigh`."""
    NETFILTER = "iptables"
    CONNECTION = "conntrack"
    FORWARD = "forward"
    """Sysctls, TTL and MTU of what is forwarded."""
    LOCAL = "local"
    """The namespace itself consumes, answers or sends."""


class Purpose(Enum):
    """Why a namespace handles a packet."""

    PASSAGE = "passage"
    """It is the packet that was received or that the program sends."""
    ANSWER = "answer"
    """The kernel answers it: an echo reply, a RST, an ICMP error."""
    ARP = "arp"
    """The kernel asks for a neighbour, or answers such a question."""


@frozen
class Step:
    """One step of a packet in a namespace."""

    namespace: str
    kind: Kind
    text: str
    """One line, such as "ip rule: 57482: from 192.168.10.222 lookup 16"."""
    changes: tuple[Change, ...] = ()
    purpose: Purpose = Purpose.PASSAGE


class Frame(NamedTuple):
    """A frame that leaves a namespace by a device."""

    namespace: str
    device: str
    packet: Packet
    purpose: Purpose
    waited: bool = False
    """Whether it has waited for a neighbour since an earlier call."""


class Receiver(Enum):
    """Which part of a namespace takes a packet that is for the namespace itself."""

    PROGRAM = "a program"
    """Instances and hosts are taken to run a program that listens. It answers nothing by itself."""
    ECHO = "ICMP"
    """The kernel, which has answered an echo request."""
    ERROR = "ICMP error"
    """The program whose packet an ICMP error quotes."""
    KERNEL = "the kernel"
    """The kernel, which has learned from an ARP message."""
    NOBODY = "nobody"
    """No program listens; the kernel has refused it with a RST or an ICMP error."""


class Delivery(NamedTuple):
    """A packet that a namespace itself receives, as its program sees it."""

    namespace: str
    device: str
    packet: Packet
    receiver: Receiver


class Why(Enum):
    """Why a packet ends in a namespace."""

    OTHER_HOST = "the frame is for another MAC"
    UNKNOWN_PROTOCOL = "the kernel has no use for such frames"
    TOO_LONG = "too long for the device"
    NO_ROUTE = "no route"
    NO_FORWARDING = "the namespace does not forward"
    MARTIAN = "impossible source or destination"
    REVERSE_PATH = "rp_filter"
    FILTERED = "iptables"
    TTL = "the TTL has ended"
    MTU = "the packet is longer than the MTU and may not be fragmented"
    SOURCE = "the sender does not have the source address"
    SILENT = "a broadcast or multicast that nobody takes"


class Drop(NamedTuple):
    """A packet that ends in a namespace. An ICMP error about it is among the frames."""

    namespace: str
    packet: Packet
    why: Why
    text: str
    """What happened, in one line; of a packet that the namespace itself sends, the error that its
    program gets."""
    purpose: Purpose = Purpose.PASSAGE


@frozen
class Outcome:
    """All that one call of a HostKernel did with a packet, and the state after it."""

    steps: tuple[Step, ...]
    frames: tuple[Frame, ...]
    delivered: tuple[Delivery, ...]
    dropped: tuple[Drop, ...]
    state: KernelState
