"""The addresses of devices. Pure."""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.companion.resources.device import OnDevice
from dvr_ryu.companion.resources.namespace import in_instance


@frozen
class Address(OnDevice):
    """An IPv4 address of a device, with its prefix length."""

    kind = "address"
    identity = ("namespace", "device", "address", "broadcast")
    namespace: str
    device: str
    address: str
    broadcast: str | None

    @property
    def label(self) -> str | None:
        """What tells it from those that an instance gives itself."""
        return f"{self.device}:fixed" if in_instance(self.namespace) else None
