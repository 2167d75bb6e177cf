"""Network devices, and the resources that end with one. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import field, frozen

from dvr_ryu.companion.resources.namespace import namespace_key
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.shell import inside, ip, netns


def device_key(namespace: str, name: str) -> Key:
    """The key of a device by its namespace and name."""
    return ("device", namespace, name)


@frozen
class Device(Resource):
    """A network device in its namespace, and up. A MAC, an MTU or a setting that is None may have
    any value.
    """

    kind = "device"
    identity = ("namespace", "name")
    namespace: str
    name: str
    mac: str | None
    mtu: int | None
    tx_checksum: bool | None
    """False where a userspace datapath is behind it: no card adds checksums there."""
    container: Key = field(eq=False, repr=False)
    up: bool = True

    @property
    def after(self) -> tuple[Key, ...]:
        """Its namespace."""
        namespace = namespace_key(self.namespace)
        return (namespace,) if namespace else ()

    @property
    def is_moved(self) -> bool:
        """Whether Open vSwitch makes it in the host's own namespace, but its namespace is
        another."""
        return bool(self.container[0] == "port" and self.namespace)

    def describe(self) -> str:
        """Move it to its namespace if it is elsewhere, and set it up."""
        mac = f" address {self.mac}" if self.mac else ""
        mtu = f" mtu {self.mtu}" if self.mtu else ""
        line = f"{ip(self.namespace)} link set {self.name}{mac}{mtu} up"
        if self.is_moved:
            line = f"ip link set {self.name}{netns(self.namespace)} && {line}"
        if self.tx_checksum is False:
            line += f" && {inside(self.namespace)}ethtool -K {self.name} tx off"
        return line

    def make_lines(self, old: Device | None, host: str) -> Iterator[str]:
        """Move it to its namespace, if Open vSwitch has made it elsewhere; set it up.

        The MAC is only set if it differs: setting it makes the kernel forget all neighbours, even
        permanent ones.
        """
        if old is None and self.is_moved:
            yield f"ip link set {self.name}{netns(self.namespace)}"
        has_other_mac = self.mac and (old is None or old.mac != self.mac)
        mac = f" address {self.mac}" if has_other_mac else ""
        mtu = f" mtu {self.mtu}" if self.mtu else ""
        if self.tx_checksum is not None:
            state = "on" if self.tx_checksum else "off"
            yield f"{inside(self.namespace)}ethtool -K {self.name} tx {state} > /dev/null"
        yield f"{ip(self.namespace)} link set {self.name}{mac}{mtu} up"

    def remove_lines(self, host: str) -> Iterator[str]:
        """Return it to the host's own namespace, where its port is."""
        if self.namespace and self.name != "lo":
            yield f"{ip(self.namespace)} link set {self.name} netns 1"


class OnDevice(Resource):
    """A resource that ends with its device."""

    namespace: str
    device: str

    @property
    def container(self) -> Key | None:
        """The device."""
        return device_key(self.namespace, self.device)
