"""Instances that others plug into br-int: which interfaces count, and what is wrong with others.
Pure.

An interface is an instance's if its external_ids:iface-id is the id of one of the instance's ports,
or if it has the name of that port's tap device.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

from attrs import frozen

from dvr_ryu.companion.foreign import ForeignInterface
from dvr_ryu.companion.resources.openvswitch.plugged_port import PluggedPort
from dvr_ryu.topology import model
from dvr_ryu.topology.bridges import Plug, bridge_of
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

NOTHING: Mapping[int, Collection[str]] = {}


@frozen
class Plugged:
    """A port of an instance, and the interfaces on this machine that are the port's: the first one
    counts.
    """

    port: model.Port
    interfaces: Sequence[ForeignInterface]
    led: bool = True
    """Whether the controller's flows lead to it; only of an instance that roams it may be False."""

    @property
    def on_bridge(self) -> str | None:
        """The interface that counts, if it is on br-int."""
        first = self.interfaces[0]
        return first.name if first.bridge == bridge_of(Plug.DEVICES) else None


def plugged(topology: Topology, interfaces: Iterable[ForeignInterface]) -> list[Plugged]:
    """The ports of a topology for which something is plugged in, in the topology's order."""
    names: dict[str, str] = {}
    for card in topology.plugged:
        names |= {card.id: card.device, card.device: card.device}
    found: dict[str, list[ForeignInterface]] = {}
    for each in interfaces:
        device = names.get(each.iface_id) or names.get(each.name)
        if device:
            found.setdefault(device, []).append(each)
    return [
        Plugged(card, sorted(found[card.device], key=_rank(card)))
        for card in topology.plugged
        if card.device in found
    ]


def _rank(card: model.Port) -> Callable[[ForeignInterface], tuple[object, ...]]:
    """On br-int, with a device, with the tap's name, then in order of name."""
    bridge = bridge_of(Plug.DEVICES)
    return lambda each: (
        each.bridge != bridge,
        bool(each.error),
        each.name != card.device,
        each.name,
    )


def resources(view: HostView, found: Iterable[Plugged]) -> Iterator[PluggedPort]:
    """Yield the settings of the ports that are this host's instances'."""
    for each in found:
        name, port = each.on_bridge, each.port
        if name and (port.roams or port.host == view.host.name):
            tag = view.local_vlans[port.network]
            yield PluggedPort(bridge_of(Plug.DEVICES), name, tag, port.ofport)


def roaming_hosts(topology: Topology, host: str, found: Iterable[Plugged]) -> dict[str, str]:
    """Roaming instance → its host as one host sees it, where that differs: it is here if flows lead
    to it here, else on another host. The host need not know on which.
    """
    here = {each.port.name for each in found if each.port.roams and each.led and each.on_bridge}
    other = next((name for name in sorted(topology.hosts) if name != host), host)
    return {
        card.name: host if card.name in here else other
        for card in topology.roaming
        if (card.host == host) != (card.name in here)
    }


def lines(
    view: HostView, found: Iterable[Plugged], learned: Mapping[int, Collection[str]] = NOTHING
) -> Iterator[str]:
    """Yield a line for each instance that is plugged in here, or should be, and is not. `learned`:
    OpenFlow port number → the MACs that br-int has learned there.
    """
    plugged_in = {each.port.device: each for each in found}
    for card in view.topology.plugged:
        here = card.roams or card.host == view.host.name
        if each := plugged_in.get(card.device):
            yield from _lines_of(view, each, here)
            yield from _other_macs(each, learned.get(card.ofport, ()))
        elif here and not card.roams:
            yield f"{_called(card)} is not plugged in; dvr show port {card.name} tells how"


def _lines_of(view: HostView, each: Plugged, here: bool) -> Iterator[str]:
    card, (first, *others), name = each.port, each.interfaces, _called(each.port)
    bridge = bridge_of(Plug.DEVICES)
    if first.bridge != bridge:
        yield f"{name} is plugged into {first.bridge} as {first.name}: plug it into {bridge}"
    elif not here:
        yield (
            f"{name} is plugged in here, as {first.name}, and the file has it on {card.host}: left "
            f"alone; plug it in there, or write host: {view.host.name}"
        )
    elif each.led:
        yield f"{name} is plugged in, as {first.name}"
    else:
        yield f"{name} is plugged in, as {first.name}, and on another host until it sends from here"
    if others:
        names = ", ".join(other.name for other in others)
        yield f"{name} is plugged in more than once: {first.name} counts, unplug {names}"
    if first.error:
        yield f"{name} has no device: Open vSwitch says: {first.error}"
    if first.mac and first.mac != card.mac:
        yield (
            f"{name} should have the MAC {card.mac}, and {first.name} has {first.mac} by its "
            f"attached-mac: let the guest have the former, or write mac: '{first.mac}'"
        )


def _other_macs(each: Plugged, learned: Collection[str]) -> Iterator[str]:
    """Say by which MAC a guest sends that does not use its own. One that does may have others
    behind it."""
    card, others = each.port, sorted({*learned} - each.port.virtual_macs)
    if others and card.mac not in others and not each.interfaces[0].mac:
        yield (
            f"{_called(card)} should have the MAC {card.mac}, and sends as {', '.join(others)}: "
            f"let the guest have the former, or write mac: '{others[0]}'"
        )


def _called(card: model.Port) -> str:
    return f"{card.name}'s {card.card}" if card.number else card.name
