"""Routes: ours, and those that the kernel makes with an address. Pure."""

from __future__ import annotations

from attrs import field, frozen

from dvr_ryu.companion.resources.device import OnDevice
from dvr_ryu.companion.resources.namespace import in_instance
from dvr_ryu.companion.resources.resource import Key
from dvr_ryu.companion.resources.routing.tables import LOCAL_TABLE


@frozen
class Route(OnDevice):
    """An IPv4 route to a prefix, or "default": via a router, or straight onto the device.

    `source` is the address of the namespace's own packets there; None leaves it to the kernel.
    """

    kind = "route"
    identity = ("namespace", "table", "destination")
    namespace: str
    table: int
    destination: str
    via: str | None
    device: str
    after: tuple[Key, ...] = field(default=(), eq=False, repr=False)
    source: str | None = None

    @property
    def marked(self) -> bool:
        """Whether it must be told from those that an instance gives itself."""
        return in_instance(self.namespace)


@frozen
class KernelRoute(OnDevice):
    """The route of an address: to itself in table local, and to its subnet, on the device."""

    kind = "kernel-route"
    identity = ("namespace", "table", "destination", "device", "source")
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
    def is_local(self) -> bool:
        """Whether it leads to the address itself."""
        return self.table == LOCAL_TABLE
