"""Gratuitous ARP: announce to a network at once that an address is here now, without blocking."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from operator import itemgetter
from threading import Thread
from typing import TypeAlias

from dvr_ryu.companion.change import HostChange
from dvr_ryu.companion.providers.netlink.client import netlink
from dvr_ryu.companion.providers.netlink.namespaces import inside
from dvr_ryu.companion.providers.netlink.routing import on_device
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import by_namespace, in_instance
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import ProxyNeighbour
from dvr_ryu.errors import HostError
from dvr_ryu.topology.family import Family

ANNOUNCING = ("fg-", "qg-", "gw-", "sg-", "qr-")
"""The devices whose addresses may have been elsewhere a moment ago. A qr- is on all hosts at once:
each host announces it, and flows confine the announcement to that host."""
EVERY = ""
"""Stands for every address of a device, including those that an instance has set itself."""
PAUSES = (0, 0.3, 0.7)
"""Seconds before each announcement of a change. The first may come before the flows of the
controller, which reads an edit a little later."""
ETH_P_ARP = 0x0806
REQUEST, REPLY = 1, 2
BROADCAST = b"\xff" * 6


AnnouncedAddress: TypeAlias = "tuple[str, str, str]"
"""A namespace, a device in it and an address to announce there."""


def announcements(change: HostChange) -> list[AnnouncedAddress]:
    """The announcements of a change that has just been made: new addresses, and new MACs of old
    ones."""
    return [*announceable([*change.added, *change.readdressed]), *cards(change.readdressed)]


def cards(resources: Iterable[Resource]) -> list[AnnouncedAddress]:
    """The network cards of instances among resources, with every address: an instance announces
    itself when its MAC changes.
    """
    return [
        (resource.namespace, resource.name, EVERY)
        for resource in resources
        if isinstance(resource, Device)
        and in_instance(resource.namespace)
        and resource.mac is not None
    ]


def announceable(resources: Iterable[Resource]) -> list[AnnouncedAddress]:
    """The holding resources to announce when other machines have other entries for them."""
    return [
        (resource.namespace, resource.device, _ip(resource))
        for resource in resources
        if isinstance(resource, (Address, ProxyNeighbour))
        and resource.family is Family.IPV4
        and resource.device.startswith(ANNOUNCING)
    ]


def _ip(resource: Address | ProxyNeighbour) -> str:
    return resource.ip if isinstance(resource, ProxyNeighbour) else resource.address.split("/")[0]


def announce(addresses: Iterable[AnnouncedAddress], pauses: Sequence[float] = PAUSES) -> None:
    """Begin to send one gratuitous packet for each address that is still there, after each pause.

    The kernel takes its time to close a socket that sends frames: so there is one for each
    namespace, all of them are closed at the same time, and meanwhile the caller continues.
    """
    for namespace, group in by_namespace(addresses, itemgetter(0)):
        Thread(target=_announce_in, args=(namespace, group, pauses)).start()


def _announce_in(
    namespace: str, addresses: Sequence[AnnouncedAddress], pauses: Sequence[float]
) -> None:
    with (
        suppress(HostError, OSError),  # the namespace went away again
        inside(namespace),
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sock,
    ):
        for pause in pauses:
            time.sleep(pause)
            for device, ip in _with_addresses(namespace, addresses):
                with suppress(OSError):  # the device did
                    sock.bind((device, ETH_P_ARP))
                    operation = REQUEST if device.startswith(ANNOUNCING) else REPLY
                    sock.send(gratuitous_arp(sock.getsockname()[4], ip, operation))


def _with_addresses(
    namespace: str, addresses: Iterable[AnnouncedAddress]
) -> Iterator[tuple[str, str]]:
    """Yield devices and addresses; for EVERY, the present addresses."""
    for _, device, ip in addresses:
        if ip != EVERY:
            yield device, ip
            continue
        with suppress(OSError, HostError), netlink(namespace) as kernel:
            found = [
                resource for resource in on_device(kernel, device) if isinstance(resource, Address)
            ]
            yield from ((device, _ip(resource)) for resource in found)


def gratuitous_arp(mac: bytes, ip: str, operation: int = REQUEST) -> bytes:
    """A broadcast ARP frame in which `ip` asks for itself (RFC 5227, 3): all machines learn its MAC
    anew. No switch that knows `ip` answers a reply; Linux applies a reply at once if it contains
    the MAC twice.
    """
    target = mac if operation == REPLY else bytes(6)
    address = socket.inet_aton(ip)
    ethernet = BROADCAST + mac + ETH_P_ARP.to_bytes(2, "big")
    head = b"\x00\x01\x08\x00\x06\x04" + operation.to_bytes(2, "big")
    return ethernet + head + mac + address + target + address
