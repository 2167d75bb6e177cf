"""Ports of Open vSwitch's bridges. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from attrs import field, frozen

from dvr_ryu.companion.resources.openvswitch.vsctl import NETNS, OWNER, settings, transaction
from dvr_ryu.companion.resources.resource import Key, Resource


def port_key(name: str) -> Key:
    """The key of a port whose device OVS makes; OVSDB has a name only once for all bridges."""
    return ("port", name, False, False)


@frozen
class OvsPort(Resource):
    """A port of an OVS bridge with its one interface.

    An internal port's device is in `namespace`. A port without a type is the outer end of a pair of
    veth devices into `namespace`, or a tap.
    """

    kind = "port"
    identity = ("name", "lost", "over_device")
    bridge: str
    name: str
    namespace: str
    tag: int | None
    interface: Mapping[str, str] = field(eq=dict)
    protected: bool = False
    """Open vSwitch forwards nothing from one protected port to another, even if flows do."""
    lost: bool = False
    """Whether its device has vanished, perhaps with a namespace: only a new port gets a new
    device."""
    outer: Key | None = field(default=None, eq=False, repr=False)
    """The tap that its device is, or the pair of veth devices of which it is the outer end."""

    @property
    def over_device(self) -> bool:
        """Whether its device is made beside Open vSwitch, which else makes it."""
        return self.outer is not None

    @property
    def container(self) -> Key | None:
        """The bridge."""
        return ("bridge", self.bridge)

    @property
    def after(self) -> tuple[Key, ...]:
        """The namespace of an internal port, or its device beside Open vSwitch."""
        if self.outer is not None:
            return (self.outer,)
        return (("namespace", self.namespace),) if self.namespace else ()

    def describe(self) -> str:
        """Add it to its bridge."""
        tag = "" if self.tag is None else f" tag={self.tag}"
        tag += " protected=true" if self.protected else ""
        interface = f"set Interface {self.name} {settings(self.interface)}"
        return f"ovs-vsctl add-port {self.bridge} {self.name}{tag} -- {interface}"

    def make_lines(self, old: OvsPort | None, host: str) -> Iterator[str]:
        """Add it, or change it."""
        port = {
            "tag": "[]" if self.tag is None else str(self.tag),
            "protected": str(self.protected).lower(),
            f"external_ids:{OWNER}": host,
        }
        if self.namespace:
            port[f"external_ids:{NETNS}"] = self.namespace
        yield transaction(
            [
                f"--may-exist add-port {self.bridge} {self.name}",
                f"set Port {self.name} {settings(port)}",
                f"set Interface {self.name} {settings(self.interface)}",
            ]
        )

    def remove_lines(self, host: str) -> Iterator[str]:
        """Remove it; its device goes with it."""
        yield f"ovs-vsctl --if-exists del-port {self.bridge} {self.name}"
