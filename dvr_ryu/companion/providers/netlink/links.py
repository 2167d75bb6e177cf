"""Read the kernel's links, and the devices and veth pairs that they form.

It reads only our names: in our namespaces Neutron's prefixes, an instance's cards and lo; in the
host's own namespace the devices of our OVS ports. It changes nothing.
"""

from __future__ import annotations

import socket
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from re import compile
from typing import Any

from attrs import frozen
from pyroute2.netlink.rtnl.ifinfmsg import IFF_UP

from dvr_ryu.companion.providers.kernel import ethtool
from dvr_ryu.companion.providers.netlink.client import Netlink, netlink
from dvr_ryu.companion.providers.netlink.messages import Message, values
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import ROOT, namespace_key
from dvr_ryu.companion.resources.openvswitch.port import port_key
from dvr_ryu.companion.resources.tap import tap_key
from dvr_ryu.companion.resources.veth_pair import VethPair

OURS = ("qr-", "sg-", "qg-", "fg-", "rfp-", "fpr-", "tap")
CARD = compile("eth[0-9]+")
VETH, TUN = "veth", "tun"
GROUP = 0x647672AD
"""The group of devices that are about to be removed; no other has this number. A device that a
killed companion left in it is not ready."""
UNKNOWN = "?"
"""Stands for the other end of a pair, if that is in a namespace that the companion does not
read."""


@frozen
class Link:
    """The kernel's data of one device."""

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
    is_tap: bool = False
    """Whether it is a tap of ours. On netdev, Open vSwitch's own devices are taps, too."""


def observe(kernel: Netlink, ports: Collection[str], taps: Collection[str]) -> Iterator[Link]:
    """Yield the devices of ours in a namespace; in the host's own, those of our OVS `ports`, and
    our `taps`.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        for name, device in kernel.links().items():
            if kernel.namespace == ROOT:
                ours = name in ports or name in taps
            else:
                ours = name.startswith(OURS) or name == "lo" or bool(CARD.fullmatch(name))
            if ours:
                yield _link(kernel.namespace, name, device, control, taps)


def _link(
    namespace: str, name: str, device: Message, control: socket.socket, taps: Collection[str]
) -> Link:
    info, peer, mac, mtu, group = values(
        device, "IFLA_LINKINFO", "IFLA_LINK", "IFLA_ADDRESS", "IFLA_MTU", "IFLA_GROUP"
    )
    kind = values(info, "IFLA_INFO_KIND")[0] if info is not None else None
    return Link(
        namespace,
        name,
        device["index"],
        peer if kind == VETH else None,
        mac,
        mtu,
        bool(device["flags"] & IFF_UP) and group != GROUP,
        ethtool.tx_checksum(control, name),
        namespace == ROOT and kind == TUN and name in taps,
    )


def resources(links: Iterable[Link], ports: Mapping[str, str]) -> Iterator[VethPair | Device]:
    """Yield the pairs and devices that links make up. `ports`: our OVS port → its namespace."""
    links = list(links)
    ends: dict[tuple[int, int], list[Link]] = {}
    for link in links:
        if link.peer_index is not None:
            ends.setdefault((link.index, link.peer_index), []).append(link)
    in_root = {link.name for link in links if link.namespace == ROOT}
    for link in links:
        # A killed ovs-vswitchd leaves its devices, and makes others of the same names when it
        # restarts: those that we moved away are dead then.
        dead = link.namespace != ROOT and link.name in in_root and link.peer_index is None
        if not dead or link.name == "lo":
            yield from _resources_of(link, ends, ports)


def _resources_of(
    link: Link, ends: Mapping[tuple[int, int], Sequence[Link]], ports: Mapping[str, str]
) -> Iterator[VethPair | Device]:
    namespace, name = link.namespace, link.name
    if name == "lo":
        container = namespace_key(namespace)
        if container and link.ready:
            yield Device(namespace, "lo", None, None, None, container)
    elif _is_inner_end(link):
        other = _other_end(link, ends)
        if other is None:
            yield VethPair(namespace, name, UNKNOWN, UNKNOWN)
        else:
            pair = VethPair(namespace, name, other.namespace, other.name)
            yield pair
            yield _device(link, pair.key)
            yield _device(other, pair.key)
    elif link.is_tap:
        yield _device(link, tap_key(name))
    elif link.peer_index is None and (namespace or ports.get(name) == ROOT):
        yield _device(link, port_key(name))


def _is_inner_end(link: Link) -> bool:
    """Whether a device is the end of a pair that is in a namespace of ours; if both are, rfp-."""
    by_name = CARD.fullmatch(link.name) or link.name.startswith("rfp-")
    is_end = link.namespace and link.peer_index is not None and not link.name.startswith("fpr-")
    return bool(by_name or is_end)


def _device(link: Link, container: tuple[Any, ...]) -> Device:
    outer_end = link.namespace == ROOT and container[0] in ("veth", "tap")
    between_routers = link.name.startswith(("rfp-", "fpr-"))
    return Device(
        link.namespace,
        link.name,
        None if outer_end else link.mac,
        link.mtu,
        None if between_routers or link.is_tap else link.tx_checksum,
        container,
        link.ready,
    )


def _other_end(end: Link, ends: Mapping[tuple[int, int], Sequence[Link]]) -> Link | None:
    """The outer end of a pair. Numbers are unique in one namespace only, so names must fit too."""
    for other in ends.get((end.peer_index or 0, end.index), ()):
        if other.namespace == ROOT and (CARD.fullmatch(end.name) or other.name == end.name):
            return other
        if other.name.startswith("fpr-") and other.name[4:] == end.name[4:]:
            return other
    return None


def up(names: Iterable[str]) -> set[str]:
    """Return those of these devices that are in the host's own namespace, and up."""
    with netlink(ROOT) as kernel:
        found = {name: kernel.link(name) for name in names}
    return {name for name, device in found.items() if device and device["flags"] & IFF_UP}
