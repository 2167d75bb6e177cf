"""What a program asks its kernel to send. Pure."""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.pipeline.run.packet import Packet


@frozen
class Request:
    """An IPv4 packet that a program sends. The kernel sets its Ethernet header.

    Without `nw_src`, or with 0, the kernel chooses the source address. `dont_fragment` is what TCP
    and `ping -M do` ask for: a packet that is longer than the MTU is an error then.
    """

    packet: Packet
    dont_fragment: bool = True
    device: str | None = None
    """The only device that it may leave by (SO_BINDTODEVICE, `ping -I eth1`)."""
