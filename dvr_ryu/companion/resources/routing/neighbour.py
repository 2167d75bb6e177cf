"""Neighbour entries, permanent and proxy ones. Pure."""

from __future__ import annotations

from attrs import field, frozen

from dvr_ryu.companion.resources.device import OnDevice
from dvr_ryu.companion.resources.resource import Key


@frozen
class Neighbour(OnDevice):
    """A permanent neighbour entry: nobody is asked, and no gratuitous ARP changes it."""

    kind = "neighbour"
    identity = ("namespace", "device", "ip")
    namespace: str
    device: str
    ip: str
    mac: str


@frozen
class ProxyNeighbour(OnDevice):
    """An address that is answered for on a device, although it is routed elsewhere."""

    kind = "proxy-neighbour"
    identity = ("namespace", "device", "ip")
    namespace: str
    device: str
    ip: str
    after: tuple[Key, ...] = field(default=(), eq=False, repr=False)
