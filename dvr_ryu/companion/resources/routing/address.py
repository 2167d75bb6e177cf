"""The addresses of devices. Pure."""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.companion.resources.device import OnDevice
from dvr_ryu.companion.resources.namespace import in_instance
from dvr_ryu.companion.resources.routing.iproute2 import OfIproute2


@frozen
class Address(OfIproute2, OnDevice):
    """An IPv4 address of a device, with its prefix length; ours have no peer."""

    kind = "address"
    identity = ("namespace", "device", "address", "broadcast", "peer")
    ip_object = "addr"
    namespace: str
    device: str
    address: str
    broadcast: str | None
    peer: str | None = None
    """The address at the far end, to which the prefix length belongs then."""

    @property
    def label(self) -> str | None:
        """The label that tells it from addresses that an instance gives itself."""
        return f"{self.device}:fixed" if in_instance(self.namespace) else None

    @property
    def ip_arguments(self) -> str:
        """Address, peer, broadcast address, device and label."""
        ip, _, length = self.address.partition("/")
        peer = f" peer {self.peer}" if self.peer else ""
        broadcast = f" brd {self.broadcast}" if self.broadcast else ""
        label = f" label {self.label}" if self.label else ""
        return f"{ip}{peer}/{length}{broadcast} dev {self.device}{label}"
