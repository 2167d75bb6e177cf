"""Ports of Open vSwitch's bridges. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from dvr_ryu.companion.resources.resource import Key, Resource


def port_key(name: str) -> Key:
    """The key of a port whose device OVS makes; its name is unique in OVSDB, on all bridges."""
    return ("port", name, False, False)


@frozen
class OvsPort(Resource):
    """A port of an OVS bridge with its one interface.

    An internal port's device is in `namespace`. A port without a type is the outer end of a pair of
    veth devices into `namespace`.
    """

    kind = "port"
    identity = ("name", "lost", "over_veth")
    bridge: str
    name: str
    namespace: str
    tag: int | None
    interface: Mapping[str, str] = field(eq=dict)
    protected: bool = False
    """NORMAL forwards nothing from one protected port to another: only flows do that name them."""
    lost: bool = False
    """Its device has vanished, with a namespace perhaps: only a new port has a new device."""
    veth: Key | None = field(default=None, eq=False, repr=False)
    """The pair of veth devices whose outer end it is."""

    @property
    def over_veth(self) -> bool:
        """Whether its device is the end of a pair of veth devices; else Open vSwitch makes it."""
        return self.veth is not None

    @property
    def container(self) -> Key | None:
        """The bridge."""
        return ("bridge", self.bridge)

    @property
    def after(self) -> tuple[Key, ...]:
        """The namespace of an internal port, or the pair of veth devices."""
        if self.veth is not None:
            return (self.veth,)
        return (("namespace", self.namespace),) if self.namespace else ()
