"""Routes: ours, and those that the kernel makes with an address. Pure."""

from __future__ import annotations

from attrs import Factory, field, frozen

from dvr_ryu.companion.resources.device import OnDevice
from dvr_ryu.companion.resources.namespace import in_instance
from dvr_ryu.companion.resources.resource import Key
from dvr_ryu.companion.resources.routing.iproute2 import OfIproute2
from dvr_ryu.companion.resources.routing.tables import LOCAL_TABLE, MAIN_TABLE
from dvr_ryu.topology.family import Family


def route_key(namespace: str, table: int, destination: str) -> Key:
    """The key of a route of IPv4."""
    return "route", namespace, table, destination, Family.IPV4


def _family(route: Route) -> Family:
    return Family.of(route.destination, route.via)


@frozen
class Route(OfIproute2, OnDevice):
    """A route to a prefix, or "default": via a router, or straight onto the device.

    `source` is the address of the namespace's own packets there; None leaves it to the kernel.
    Only a default route without a router needs an explicit family.
    """

    kind = "route"
    identity = ("namespace", "table", "destination", "family")
    ip_object, ip_verb = "route", "replace"
    namespace: str
    table: int
    destination: str
    via: str | None
    device: str
    after: tuple[Key, ...] = field(default=(), eq=False, repr=False)
    source: str | None = None
    family: Family = field(default=Factory(_family, takes_self=True), kw_only=True)

    @property
    def marked(self) -> bool:
        """Whether a mark must distinguish it from an instance's own routes."""
        return in_instance(self.namespace)

    @property
    def ip_arguments(self) -> str:
        """Destination, next hop, device, table, mark and source."""
        via = f" via {self.via}" if self.via else ""
        scope = "" if self.via else " scope link"
        table = "" if self.table == MAIN_TABLE else f" table {self.table}"
        mark = " proto static" if self.marked else ""
        source = f" src {self.source}" if self.source else ""
        return f"{self.destination}{via} dev {self.device}{scope}{table}{mark}{source}"


@frozen
class KernelRoute(OfIproute2, OnDevice):
    """The route of an address: to itself in table local, and to its subnet, on the device."""

    kind = "kernel-route"
    identity = ("namespace", "table", "destination", "device", "source")
    ip_object, ip_verb = "route", "append"
    by_kernel = True
    namespace: str
    table: int
    destination: str
    device: str
    source: str
    container: Key = field(eq=False, repr=False)
    """The address."""
    after: tuple[Key, ...] = field(eq=False, repr=False)

    @property
    def family(self) -> Family:
        """The source's."""
        return Family.of(self.source)

    @property
    def is_local(self) -> bool:
        """Whether it leads to the address itself."""
        return self.table == LOCAL_TABLE

    @property
    def ip_arguments(self) -> str:
        """The arguments of the kernel's own route."""
        if self.is_local:
            way = f"local {self.source} dev {self.device} table local proto kernel scope host"
        else:
            way = f"{self.destination} dev {self.device} proto kernel scope link"
        return f"{way} src {self.source}"
