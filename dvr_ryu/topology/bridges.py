"""Define the bridges of a host that the controller fills with flows: a table. Data only.

A further bridge is a definition here and a file of its name in flows/. All that differs from bridge
to bridge is read from this table when it is needed, so nothing else names a bridge or a patch port.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from attrs import frozen


class Plug(Enum):
    """The ports that a bridge has besides patches."""

    DEVICES = "the ports of instances, DHCP servers and routers"
    TUNNELS = "the tunnels to the other hosts"


@frozen
class PatchPort:
    """One end of a patch. Open vSwitch forwards nothing from one protected port to another, even if
    flows do.
    """

    name: str
    ofport: int
    protected: bool = False


@frozen
class Patch:
    """A pair of ports that joins the bridge that declares it, at `here`, to the bridge `peer`, at
    `there`.
    """

    here: PatchPort
    peer: str
    there: PatchPort


@frozen
class BridgeDefinition:
    """One bridge. `sentence` describes its purpose."""

    name: str
    sentence: str
    plugs: frozenset[Plug] = frozenset()
    patches: tuple[Patch, ...] = ()
    """Each patch is declared by one of the two bridges that it joins."""

    @property
    def flow_file(self) -> str:
        """The file in flows/ with its pipeline."""
        return f"{self.name}.flows"


BRIDGES: dict[str, BridgeDefinition] = {
    each.name: each
    for each in (
        BridgeDefinition("br-int", "It joins the ports of one host.", frozenset({Plug.DEVICES})),
        BridgeDefinition(
            "br-tun",
            "It leads to the other hosts.",
            frozenset({Plug.TUNNELS}),
            (Patch(PatchPort("patch-int", 1), "br-int", PatchPort("patch-tun", 1, True)),),
        ),
    )
}
"""The bridges by their names, which are Neutron's."""


def bridge_of(plug: Plug) -> str:
    """The name of the bridge that has such ports."""
    return next(bridge.name for bridge in BRIDGES.values() if plug in bridge.plugs)


def patch_ports(bridge: str) -> Iterator[tuple[PatchPort, PatchPort]]:
    """Each end of a patch that is on the bridge, and the end at the other bridge."""
    for each in BRIDGES.values():
        for patch in each.patches:
            if each.name == bridge:
                yield patch.here, patch.there
            if patch.peer == bridge:
                yield patch.there, patch.here


def patch_ofports(bridge: str) -> set[int]:
    """The numbers that the ends of patches have on a bridge: nothing else there may have them."""
    return {here.ofport for here, _ in patch_ports(bridge)}


def bridge_names(conjunction: str = "and", quotes: str = "") -> str:
    """The names of all bridges for a sentence: br-int and br-tun."""
    *others, last = (f"{quotes}{name}{quotes}" for name in BRIDGES)
    return f"{', '.join(others)} {conjunction} {last}"
