"""The addresses of devices. Pure."""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.companion.resources.device import OnDevice
from dvr_ryu.companion.resources.namespace import in_instance
from dvr_ryu.companion.resources.routing.iproute2 import OfIproute2
from dvr_ryu.topology.family import Family


@frozen
class Address(OfIproute2, OnDevice):
    """An address of a device, with its prefix length; ours have no peer. IPv6 has no broadcast
    address.
    """

    kind = "address"
    identity = ("namespace", "device", "address", "broadcast", "peer")
    ip_object = "addr"
    namespace: str
    device: str
    address: str
    broadcast: str | None
    peer: str | None = None
    """The address at the far end; if set, the prefix length belongs to it."""

    @property
    def family(self) -> Family:
        """The address's."""
        return Family.of(self.address)

    @property
    def label(self) -> str | None:
        """The label that distinguishes it from an instance's own addresses: IPv6 has none."""
        labelled = in_instance(self.namespace) and self.family is Family.IPV4
        return f"{self.device}:fixed" if labelled else None

    @property
    def ip_arguments(self) -> str:
        """Address, peer, broadcast address, device and label."""
        ip, _, length = self.address.partition("/")
        peer = f" peer {self.peer}" if self.peer else ""
        broadcast = f" brd {self.broadcast}" if self.broadcast else ""
        label = f" label {self.label}" if self.label else ""
        # The kernel does not use an IPv6 address as source until duplicate detection has ended. A
        # router's addresses are on several hosts: so there is no detection.
        nodad = " nodad" if self.family is Family.IPV6 else ""
        return f"{ip}{peer}/{length}{broadcast} dev {self.device}{label}{nodad}"
