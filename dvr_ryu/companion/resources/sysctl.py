"""Settings of the kernel, by their paths below /proc/sys. Pure."""

from __future__ import annotations

from attrs import field, frozen

from dvr_ryu.companion.resources.device import device_key
from dvr_ryu.companion.resources.resource import Key, Resource


@frozen
class Sysctl(Resource):
    """A kernel setting of a namespace, by its path below /proc/sys."""

    kind = "sysctl"
    identity = ("namespace", "name")
    namespace: str
    name: str
    value: str
    container: Key | None = field(eq=False, repr=False)
    after: tuple[Key, ...] = field(default=(), eq=False, repr=False)


@frozen
class RestoredSysctl(Resource):
    """A setting of what may go on without it, the host itself or an instance's card: what it was
    before is kept, and put back when this ends.
    """

    kind = "kept-sysctl"
    identity = ("namespace", "name")
    outlives_container = True
    namespace: str
    name: str
    value: str

    @property
    def container(self) -> Key | None:
        """The card, below net/ipv4/conf."""
        return device_key(self.namespace, self.name.split("/")[3]) if self.namespace else None
