"""Devices and wires: in which namespace each is, its MAC, MTU and checksums.

Only names of ours are looked at: Neutron's prefixes, an instance's cards and lo, in namespaces of
ours; in the host's own, only the devices of our OVS ports.
"""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from operator import itemgetter
from re import compile
from typing import Any

from attrs import frozen
from pyroute2.netlink import NLM_F_CREATE, NLM_F_EXCL
from pyroute2.netlink.rtnl import RTM_DELLINK, RTM_NEWLINK, RTM_SETLINK
from pyroute2.netlink.rtnl.ifinfmsg import IFF_UP, ifinfmsg

from dvr_ryu.companion.providers.kernel.refusal import refusal
from dvr_ryu.companion.providers.netlink.client import GONE, Netlink, Request, batches, netlink
from dvr_ryu.companion.providers.netlink.messages import Message, as_bytes, message, nest, values
from dvr_ryu.companion.providers.netlink.namespaces import by_namespace, exists, opened
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import ROOT, namespace_key
from dvr_ryu.companion.resources.openvswitch.port import port_key
from dvr_ryu.companion.resources.veth_pair import VethPair

OURS = ("qr-", "sg-", "qg-", "fg-", "rfp-", "fpr-", "tap")
CARD = compile("eth[0-9]+")
SIOCETHTOOL = 0x8946
ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM = 0x16, 0x17
VETH = "veth"
ONE_QUEUE = ("IFLA_NUM_TX_QUEUES", 1), ("IFLA_NUM_RX_QUEUES", 1)
"""What a wire uses. Unasked, the kernel makes one for each processor, and waits until it has taken
all but one away again, which is half of the time for a wire."""
GROUP = 0x647672AD
"""The group of devices that are about to be removed; no other has this number. Whoever is still in
it, because a companion was killed, is not ready."""
UNKNOWN = "?"
"""Stands for the other end of a wire that leads to where we do not look."""


@frozen
class Link:
    """What the kernel says of one device."""

    namespace: str
    name: str
    index: int
    peer_index: int | None
    """For one end of a veth pair, the number of the other end, in the namespace of that."""
    mac: str
    mtu: int
    ready: bool
    """Whether it is up, and not about to be removed."""
    tx_checksum: bool


def observe(kernel: Netlink, root_devices: Collection[str]) -> Iterator[Link]:
    """Yield the devices of ours in a namespace; in the host's own, those of `root_devices`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for name, device in kernel.links().items():
            if kernel.namespace == ROOT:
                ours = name in root_devices
            else:
                ours = name.startswith(OURS) or name == "lo" or bool(CARD.fullmatch(name))
            if ours:
                yield _link(kernel.namespace, name, device, control)


def _link(namespace: str, name: str, device: Message, control: socket.socket) -> Link:
    info, peer, mac, mtu, group = values(
        device, "IFLA_LINKINFO", "IFLA_LINK", "IFLA_ADDRESS", "IFLA_MTU", "IFLA_GROUP"
    )
    is_veth = info is not None and values(info, "IFLA_INFO_KIND") == [VETH]
    return Link(
        namespace,
        name,
        device["index"],
        peer if is_veth else None,
        mac,
        mtu,
        bool(device["flags"] & IFF_UP) and group != GROUP,
        _tx_checksum(control, name),
    )


def _tx_checksum(control: socket.socket, device: str, value: bool | None = None) -> bool:
    """Read, or with a value set, whether checksums of what is sent are left to the card."""
    command = ETHTOOL_GTXCSUM if value is None else ETHTOOL_STXCSUM
    words = (ctypes.c_uint32 * 2)(command, bool(value))
    name = device.encode(errors="surrogateescape")
    request = struct.pack("16sP16x", name, ctypes.addressof(words))
    fcntl.ioctl(control.fileno(), SIOCETHTOOL, request)
    return bool(words[1])


def resources(links: Iterable[Link], places: Mapping[str, str]) -> Iterator[VethPair | Device]:
    """Yield the wires and devices that links make up. `places`: our OVS port → its namespace."""
    links = list(links)
    ends: dict[tuple[int, int], list[Link]] = {}
    for link in links:
        if link.peer_index is not None:
            ends.setdefault((link.index, link.peer_index), []).append(link)
    in_root = {link.name for link in links if link.namespace == ROOT}
    for link in links:
        # ovs-vswitchd that was killed leaves its devices, and makes others of the same names when
        # it comes back: those that we moved away are dead then.
        dead = link.namespace != ROOT and link.name in in_root and link.peer_index is None
        if not dead or link.name == "lo":
            yield from _resources_of(link, ends, places)


def _resources_of(
    link: Link, ends: Mapping[tuple[int, int], Sequence[Link]], places: Mapping[str, str]
) -> Iterator[VethPair | Device]:
    namespace, name = link.namespace, link.name
    if name == "lo":
        place = namespace_key(namespace)
        if place and link.ready:
            yield Device(namespace, "lo", None, None, None, place)
    elif _is_inner_end(link):
        other = _other_end(link, ends)
        if other is None:
            yield VethPair(namespace, name, UNKNOWN, UNKNOWN)
        else:
            wire = VethPair(namespace, name, other.namespace, other.name)
            yield wire
            yield _device(link, wire.key)
            yield _device(other, wire.key)
    elif link.peer_index is None and (namespace or places.get(name) == ROOT):
        yield _device(link, port_key(name))


def _is_inner_end(link: Link) -> bool:
    """Whether a device is that end of a wire which is in a namespace of ours; of two, rfp-."""
    by_name = CARD.fullmatch(link.name) or link.name.startswith("rfp-")
    is_wire = link.namespace and link.peer_index is not None and not link.name.startswith("fpr-")
    return bool(by_name or is_wire)


def _device(link: Link, container: tuple[Any, ...]) -> Device:
    outer_end = link.namespace == ROOT and container[0] == "veth"
    routed_wire = link.name.startswith(("rfp-", "fpr-"))
    return Device(
        link.namespace,
        link.name,
        None if outer_end else link.mac,
        link.mtu,
        None if routed_wire else link.tx_checksum,
        container,
        link.ready,
    )


def _other_end(end: Link, ends: Mapping[tuple[int, int], Sequence[Link]]) -> Link | None:
    """The outer end of a wire. Numbers are unique in one namespace only, so names must fit too."""
    for other in ends.get((end.peer_index or 0, end.index), ()):
        if other.namespace == ROOT and (CARD.fullmatch(end.name) or other.name == end.name):
            return other
        if other.name.startswith("fpr-") and other.name[4:] == end.name[4:]:
            return other
    return None


def up(names: Iterable[str]) -> set[str]:
    """Which of these devices of the host's own namespace are there, and up."""
    with netlink(ROOT) as kernel:
        found = {name: kernel.link(name) for name in names}
    return {name for name, device in found.items() if device and device["flags"] & IFF_UP}


def make_wires(resources: Sequence[VethPair]) -> None:
    """Make wires, each with both ends in place at once.

    A device of the outer end's name leads nowhere that has a name, for it is no wire of ours: what
    is in a namespace that was removed by hand lives on while a program does. It is replaced.
    """
    for namespace, wires in by_namespace(resources, lambda resource: resource.peer_namespace):
        with netlink(namespace) as kernel:
            dead = [resource for resource in wires if kernel.has(resource.peer)]
            kernel.ask(
                (_deletion(resource, kernel.index(resource.peer)) for resource in dead), GONE
            )
            for batch in batches(wires):
                with _places(batch) as places:
                    kernel.ask(_wire(resource, places[resource.namespace]) for resource in batch)


def _wire(resource: VethPair, place: int) -> Request:
    far_end = nest(_name(resource.device), ("IFLA_NET_NS_FD", place), *ONE_QUEUE)
    data = nest(("VETH_INFO_PEER", far_end))
    info = nest(("IFLA_INFO_KIND", VETH), ("IFLA_INFO_DATA", data))
    near_end = message(ifinfmsg, [_name(resource.peer), *ONE_QUEUE, ("IFLA_LINKINFO", info)])
    return Request(resource, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, near_end)


def _name(device: str) -> tuple[str, bytes]:
    return "IFLA_IFNAME", as_bytes(device)


def unmake_wires(resources: Sequence[VethPair]) -> None:
    """Remove wires, both ends at once.

    The kernel takes its time for each removal, but no longer for that of a group of devices. So
    the ends that are in one namespace are put into a group there, and the group is removed.
    """
    ends = [
        (resource.namespace, resource.device, resource)
        for resource in resources
        if resource.peer == UNKNOWN
    ]
    ends += [
        (resource.peer_namespace, resource.peer, resource)
        for resource in resources
        if resource.peer != UNKNOWN
    ]
    for namespace, group in by_namespace(ends, itemgetter(0)):
        if exists(namespace):
            with netlink(namespace) as kernel:
                into = ("IFLA_GROUP", GROUP)
                kernel.ask(
                    (
                        Request(resource, RTM_SETLINK, 0, message(ifinfmsg, [_name(name), into]))
                        for _, name, resource in group
                    ),
                    GONE,
                )
                _, _, resource = group[0]
                kernel.ask([Request(resource, RTM_DELLINK, 0, message(ifinfmsg, [into]))], GONE)


def make_devices(resources: Sequence[Device]) -> None:
    """Bring devices to their places, give them what they should have, and set them up."""
    _move(
        [
            resource
            for resource in resources
            if resource.namespace and resource.container[0] == "port"
        ]
    )
    for namespace, devices in by_namespace(resources):
        with (
            netlink(namespace) as kernel,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control,
        ):
            for resource in devices:
                if resource.tx_checksum is not None:
                    try:
                        _tx_checksum(control, resource.name, resource.tx_checksum)
                    except OSError as error:
                        raise refusal(resource, error) from error
            kernel.ask(_settings(kernel, resource) for resource in devices)


def _settings(kernel: Netlink, resource: Device) -> Request:
    # The kernel heeds the MAC before it sets the device up: what is announced then carries it.
    settings: list[tuple[str, object]] = [_name(resource.name), ("IFLA_GROUP", 0)]
    if resource.mac is not None and resource.mac != _mac(kernel.link(resource.name)):
        # Not for nothing: the kernel forgets all neighbours by it, even permanent ones.
        settings.append(("IFLA_ADDRESS", resource.mac))
    if resource.mtu is not None:
        settings.append(("IFLA_MTU", resource.mtu))
    up = message(ifinfmsg, settings, flags=IFF_UP, change=IFF_UP)
    return Request(resource, RTM_SETLINK, 0, up)


def _mac(device: Message | None) -> str | None:
    return None if device is None else str(values(device, "IFLA_ADDRESS")[0])


def _move(resources: Sequence[Device]) -> None:
    """OVS makes its devices in the host's own namespace; take them from there."""
    if not resources:
        return
    with netlink(ROOT) as kernel:
        made = [resource for resource in resources if kernel.has(resource.name)]
    for namespace, devices in by_namespace(made):
        with netlink(namespace) as place:
            dead = [resource for resource in devices if place.has(resource.name)]  # see `resources`
            place.ask(_deletion(resource, place.index(resource.name)) for resource in dead)
    with netlink(ROOT) as kernel:
        for batch in batches(made):
            with _places(batch) as places:
                kernel.ask(_relocation(resource, places[resource.namespace]) for resource in batch)


def _relocation(resource: Device, place: int) -> Request:
    moved = message(ifinfmsg, [_name(resource.name), ("IFLA_NET_NS_FD", place)])
    return Request(resource, RTM_SETLINK, 0, moved)


def _deletion(resource: VethPair | Device, index: int) -> Request:
    return Request(resource, RTM_DELLINK, 0, message(ifinfmsg, index=index))


def unmake_devices(resources: Sequence[Device]) -> None:
    """Give devices whose ports remain back to the host's own namespace, where OVS made them."""
    with opened(ROOT) as root:
        for namespace, devices in by_namespace(
            resource for resource in resources if resource.namespace
        ):
            if exists(namespace):
                with netlink(namespace) as kernel:
                    there = [f for f in devices if kernel.has(f.name) and f.name != "lo"]
                    kernel.ask((_relocation(resource, root) for resource in there), GONE)


@contextmanager
def _places(resources: Iterable[VethPair | Device]) -> Iterator[Mapping[str, int]]:
    """Yield the file descriptor of each resource's namespace."""
    with ExitStack() as stack:
        names = {resource.namespace for resource in resources}
        yield {name: stack.enter_context(opened(name)) for name in names}
