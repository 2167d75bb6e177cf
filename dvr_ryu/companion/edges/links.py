"""Devices and wires: in which namespace each is, its MAC, MTU and checksums.

Only names of ours are looked at: Neutron's prefixes, eth0 and lo, in namespaces of ours; in the
host's own, only the devices of our OVS ports.
"""

from __future__ import annotations

import ctypes
import fcntl
import socket
import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from attrs import frozen

from dvr_ryu.companion.edges.namespaces import exists, opened
from dvr_ryu.companion.edges.netlink import GONE, Netlink, netlink, refusals
from dvr_ryu.companion.facts.kinds import (
    ROOT,
    Device,
    VethPair,
    namespace_key,
    port_key,
)

OURS = ("qr-", "sg-", "qg-", "fg-", "rfp-", "fpr-", "tap")
SIOCETHTOOL = 0x8946
ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM = 0x16, 0x17
IFF_UP = 1
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
    up: bool
    tx_checksum: bool


def observe(kernel: Netlink, root_devices: Collection[str]) -> Iterator[Link]:
    """Yield the devices of ours in a namespace; in the host's own, those of `root_devices`."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for name, link in kernel.links.items():
            if kernel.namespace == ROOT:
                ours = name in root_devices
            else:
                ours = name.startswith(OURS) or name in ("eth0", "lo")
            if ours:
                yield _link(kernel.namespace, name, link, control)


def _link(namespace: str, name: str, link: Any, control: socket.socket) -> Link:
    is_veth = link.get_nested("linkinfo", "kind") == "veth"
    return Link(
        namespace,
        name,
        link["index"],
        link.get("link") if is_veth else None,
        link.get("address"),
        link.get("mtu"),
        bool(link["flags"] & IFF_UP),
        _tx_checksum(control, name),
    )


def _tx_checksum(control: socket.socket, device: str, value: bool | None = None) -> bool:
    """Read, or with a value set, whether checksums of what is sent are left to the card."""
    command = ETHTOOL_GTXCSUM if value is None else ETHTOOL_STXCSUM
    words = (ctypes.c_uint32 * 2)(command, bool(value))
    request = struct.pack("16sP16x", device.encode(), ctypes.addressof(words))
    fcntl.ioctl(control.fileno(), SIOCETHTOOL, request)
    return bool(words[1])


def facts(links: Iterable[Link], places: Mapping[str, str]) -> Iterator[VethPair | Device]:
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
            yield from _facts_of(link, ends, places)


def _facts_of(
    link: Link, ends: Mapping[tuple[int, int], Sequence[Link]], places: Mapping[str, str]
) -> Iterator[VethPair | Device]:
    namespace, name = link.namespace, link.name
    if name == "lo":
        place = namespace_key(namespace)
        if place and link.up:
            yield Device(namespace, "lo", None, None, None, place)
    elif name == "eth0" or name.startswith("rfp-"):
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
        link.up,
    )


def _other_end(end: Link, ends: Mapping[tuple[int, int], Sequence[Link]]) -> Link | None:
    """The outer end of a wire. Numbers are unique in one namespace only, so names must fit too."""
    for other in ends.get((end.peer_index or 0, end.index), ()):
        if end.name == "eth0" and other.namespace == ROOT:
            return other
        if other.name.startswith("fpr-") and other.name[4:] == end.name[4:]:
            return other
    return None


def make_wires(facts: Sequence[VethPair]) -> None:
    """Make wires, each with both ends in place at once.

    A device of the outer end's name leads nowhere that has a name, for it is no wire of ours: what
    is in a namespace that was removed by hand lives on while a program does. It is replaced.
    """
    by_place = sorted(facts, key=lambda fact: fact.peer_namespace)
    for namespace, group in groupby(by_place, key=lambda fact: fact.peer_namespace):
        with netlink(namespace) as kernel:
            for fact in group:
                if fact.peer in kernel.links:
                    with refusals(fact, GONE):
                        kernel.request.link("del", index=kernel.index(fact.peer))
                with opened(fact.namespace) as place, refusals(fact):
                    end = {"ifname": fact.device, "net_ns_fd": place}
                    kernel.request.link("add", ifname=fact.peer, kind="veth", peer=end)


def unmake_wires(facts: Sequence[VethPair]) -> None:
    """Remove wires, both ends at once, by the end that is in a namespace of ours."""
    for fact in facts:
        if exists(fact.namespace):
            with netlink(fact.namespace) as kernel, refusals(fact, GONE):
                if fact.device in kernel.links:
                    kernel.request.link("del", index=kernel.index(fact.device))


def make_devices(facts: Sequence[Device]) -> None:
    """Bring devices to their places, give them what they should have, and set them up."""
    _move([fact for fact in facts if fact.namespace and fact.container[0] == "port"])
    by_place = sorted(facts, key=lambda fact: fact.namespace)
    for namespace, group in groupby(by_place, key=lambda fact: fact.namespace):
        with (
            netlink(namespace) as kernel,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control,
        ):
            for fact in group:
                with refusals(fact):
                    _make_device(kernel, control, fact)


def _make_device(kernel: Netlink, control: socket.socket, fact: Device) -> None:
    wanted = {"address": fact.mac, "mtu": fact.mtu}
    values = {name: value for name, value in wanted.items() if value is not None}
    # What is announced when a device comes up carries its MAC: so that first.
    if values:
        kernel.request.link("set", index=kernel.index(fact.name), **values)
    if fact.tx_checksum is not None:
        _tx_checksum(control, fact.name, fact.tx_checksum)
    kernel.request.link("set", index=kernel.index(fact.name), state="up")


def _move(facts: Sequence[Device]) -> None:
    """OVS makes its devices in the host's own namespace; take them from there."""
    if not facts:
        return
    with netlink(ROOT) as kernel:
        made = [fact for fact in facts if fact.name in kernel.links]
    by_place = sorted(made, key=lambda fact: fact.namespace)
    for namespace, group in groupby(by_place, key=lambda fact: fact.namespace):
        with netlink(namespace) as place:
            for fact in group:
                if fact.name in place.links:  # dead: see `facts`
                    place.request.link("del", index=place.index(fact.name))
    with netlink(ROOT) as kernel:
        for fact in made:
            with opened(fact.namespace) as descriptor, refusals(fact):
                kernel.request.link("set", index=kernel.index(fact.name), net_ns_fd=descriptor)


def unmake_devices(facts: Sequence[Device]) -> None:
    """Give devices whose ports remain back to the host's own namespace, where OVS made them."""
    with opened(ROOT) as root:
        for fact in facts:
            if fact.namespace and exists(fact.namespace):
                with netlink(fact.namespace) as kernel, refusals(fact, GONE):
                    if fact.name in kernel.links and fact.name != "lo":
                        kernel.request.link("set", index=kernel.index(fact.name), net_ns_fd=root)
