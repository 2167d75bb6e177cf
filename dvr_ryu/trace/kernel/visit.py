"""One visit of packets to a namespace: collects the steps and all that comes out. Pure.

It is the only object here that changes, and it ends with one call of a HostKernel.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from attrs import evolve

from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.pipeline.run.steps import Change
from dvr_ryu.trace.kernel.addresses import is_group
from dvr_ryu.trace.kernel.netfilter.conntrack import Tracking
from dvr_ryu.trace.kernel.outcome import (
    Delivery,
    Drop,
    Frame,
    Kind,
    Purpose,
    Receiver,
    Step,
    Why,
)
from dvr_ryu.trace.kernel.setup.namespace import NetworkNamespace
from dvr_ryu.trace.kernel.state import NamespaceState


class Skb:
    """A packet on its way through a namespace, with what the kernel notes about it (sk_buff)."""

    def __init__(self, packet: Packet, in_device: str | None) -> None:
        """`in_device` is None for a packet of the namespace's own."""
        self.packet = packet
        self.in_device = in_device
        self.is_frame_to_all = in_device is not None and is_group(packet["dl_dst"])
        """Whether its frame came by broadcast or multicast."""
        self.is_to_all = False
        """Whether its destination is a broadcast or multicast address."""
        self.tracking: Tracking | None = None

    def __getitem__(self, field: str) -> int:
        """A field's number; 0 if it is absent."""
        return self.packet[field]


class Visit:
    """All that happens in one namespace during one call."""

    def __init__(self, net: NetworkNamespace, state: NamespaceState) -> None:
        self.net = net
        self.state = state
        self.purpose = Purpose.PASSAGE
        self.waited = False
        self.steps: list[Step] = []
        self.frames: list[Frame] = []
        self.delivered: list[Delivery] = []
        self.dropped: list[Drop] = []

    def step(self, kind: Kind, text: str, changes: tuple[Change, ...] = ()) -> None:
        """Note a step."""
        self.steps.append(Step(self.net.name, kind, text, changes, self.purpose))

    def emit(self, device: str, packet: Packet) -> None:
        """Send a frame by a device."""
        self.frames.append(Frame(self.net.name, device, packet, self.purpose, self.waited))

    def deliver(self, skb: Skb, receiver: Receiver) -> None:
        """Give a packet to its receiver in this namespace."""
        device = skb.in_device or ""
        self.delivered.append(Delivery(self.net.name, device, skb.packet, receiver))

    def drop(self, kind: Kind, packet: Packet, why: Why, text: str) -> None:
        """End a packet; the text is its last step, too."""
        self.step(kind, text)
        self.dropped.append(Drop(self.net.name, packet, why, text, self.purpose))

    def learn(self, **changes: Any) -> None:
        """Change the namespace's state."""
        self.state = evolve(self.state, **changes)

    @contextmanager
    def acting(self, purpose: Purpose) -> Iterator[None]:
        """All steps and frames of the block have a purpose; an answer's ARP is ARP."""
        before, self.purpose = self.purpose, purpose
        try:
            yield
        finally:
            self.purpose = before


def changes(before: Packet, after: Packet) -> tuple[Change, ...]:
    """The fields in which two packets differ."""
    if before is after:
        return ()
    names = [*before.fields, *(name for name in after.fields if name not in before.fields)]
    return tuple(
        Change(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    )
