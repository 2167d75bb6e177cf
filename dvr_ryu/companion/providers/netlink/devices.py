"""Read veth pairs and devices from the kernel's links, and make and remove them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from attrs import evolve

from dvr_ryu.companion.providers.netlink import link_changes, links
from dvr_ryu.companion.providers.netlink.links import Link
from dvr_ryu.companion.providers.netlink.visits import visits
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.tap import Tap
from dvr_ryu.companion.resources.veth_pair import VethPair


def _read(look: Look) -> list[VethPair | Device]:
    namespaces = {port.name: port.namespace for port in look.found(OvsPort)}
    return list(links.resources(look.once(visits).links, namespaces))


class VethPairs(Provider):
    """The provider of pairs of veth devices."""

    kinds = (VethPair,)

    def read(self, look: Look) -> Sequence[VethPair]:
        """Return the pairs with an end in a namespace of ours."""
        return [each for each in look.once(_read) if isinstance(each, VethPair)]

    def make(self, resources: Sequence[VethPair]) -> None:
        """Make pairs."""
        link_changes.make_pairs(resources)

    def remove(self, resources: Sequence[VethPair]) -> None:
        """Remove pairs, both ends together."""
        link_changes.remove_pairs(resources)


class Devices(Provider):
    """The provider of devices."""

    kinds = (Device,)

    def read(self, look: Look) -> Sequence[Device]:
        """Return our devices."""
        return [each for each in look.once(_read) if isinstance(each, Device)]

    def make(self, resources: Sequence[Device]) -> None:
        """Move devices to their namespaces, and set them up."""
        link_changes.make_devices(resources)

    def remove(self, resources: Sequence[Device]) -> None:
        """Return devices to the host's own namespace."""
        link_changes.return_devices(resources)


def with_loss(found: Iterable[Resource], links: Iterable[Link]) -> Iterator[Resource]:
    """Yield resources; mark the ports among them whose device is gone.

    Open vSwitch does not notice the loss: it retains the opened device. An internal port's device
    is in its namespace, or where Open vSwitch makes it. A port without a type is the end of a
    pair, or a tap.
    """
    found = list(found)
    devices = {(link.namespace, link.name) for link in links}
    outer = {each.peer: each.key for each in found if isinstance(each, VethPair)}
    outer |= {each.name: each.key for each in found if isinstance(each, Tap)}
    for each in found:
        if not isinstance(each, OvsPort):
            yield each
            continue
        match each.interface.get("type", ""):
            case "":
                yield evolve(each, lost=each.name not in outer, outer=outer.get(each.name))
            case "internal":
                either = {(each.namespace, each.name), (ROOT, each.name)}
                yield evolve(each, lost=devices.isdisjoint(either))
            case _:
                yield each
