"""Network devices, and what ends with one. Pure."""

from __future__ import annotations

from attrs import field, frozen

from dvr_ryu.companion.resources.namespace import namespace_key
from dvr_ryu.companion.resources.resource import Key, Resource


def device_key(namespace: str, name: str) -> Key:
    """The key of a device by its place and name."""
    return ("device", namespace, name)


@frozen
class Device(Resource):
    """A network device in its place, and up. None: whatever it has will do."""

    kind = "device"
    identity = ("namespace", "name")
    namespace: str
    name: str
    mac: str | None
    mtu: int | None
    tx_checksum: bool | None
    """False where a userspace datapath is behind it, to which nobody's card adds checksums."""
    container: Key = field(eq=False, repr=False)
    up: bool = True

    @property
    def after(self) -> tuple[Key, ...]:
        """Its place."""
        namespace = namespace_key(self.namespace)
        return (namespace,) if namespace else ()


class OnDevice(Resource):
    """A resource that ends with its device."""

    namespace: str
    device: str

    @property
    def container(self) -> Key | None:
        """The device."""
        return device_key(self.namespace, self.device)
