"""Neighbour entries, permanent and proxy ones. Pure."""

from __future__ import annotations

from attrs import field, frozen

from dvr_ryu.companion.resources.device import OnDevice
from dvr_ryu.companion.resources.resource import Key
from dvr_ryu.companion.resources.routing.iproute2 import OfIproute2
from dvr_ryu.topology.family import Family


@frozen
class Neighbour(OfIproute2, OnDevice):
    """A permanent neighbour entry: the kernel sends no request for it, and no packet changes it."""

    kind = "neighbour"
    identity = ("namespace", "device", "ip")
    ip_object, ip_verb = "neigh", "replace"
    namespace: str
    device: str
    ip: str
    mac: str

    @property
    def family(self) -> Family:
        """The address's."""
        return Family.of(self.ip)

    @property
    def ip_arguments(self) -> str:
        """Address, MAC and device."""
        return f"{self.ip} lladdr {self.mac} dev {self.device} nud permanent"


@frozen
class ProxyNeighbour(OfIproute2, OnDevice):
    """An address that the kernel answers for on a device, although it is routed elsewhere."""

    kind = "proxy-neighbour"
    identity = ("namespace", "device", "ip")
    ip_object = "neigh"
    namespace: str
    device: str
    ip: str
    after: tuple[Key, ...] = field(default=(), eq=False, repr=False)

    @property
    def family(self) -> Family:
        """The address's."""
        return Family.of(self.ip)

    @property
    def ip_arguments(self) -> str:
        """Address and device."""
        return f"proxy {self.ip} dev {self.device}"
