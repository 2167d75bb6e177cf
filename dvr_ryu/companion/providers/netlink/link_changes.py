"""Make, move, set and remove veth pairs and devices."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from operator import itemgetter

from pyroute2.netlink import NLM_F_CREATE, NLM_F_EXCL
from pyroute2.netlink.rtnl import RTM_DELLINK, RTM_NEWLINK, RTM_SETLINK
from pyroute2.netlink.rtnl.ifinfmsg import IFF_UP, ifinfmsg

from dvr_ryu.companion.providers.kernel import ethtool
from dvr_ryu.companion.providers.kernel.refusal import refusal
from dvr_ryu.companion.providers.netlink.client import GONE, Netlink, Request, batches, netlink
from dvr_ryu.companion.providers.netlink.links import GROUP, UNKNOWN, VETH
from dvr_ryu.companion.providers.netlink.messages import Message, as_bytes, message, nest, values
from dvr_ryu.companion.providers.netlink.namespaces import exists, opened
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import ROOT, by_namespace
from dvr_ryu.companion.resources.veth_pair import VethPair

ONE_QUEUE = ("IFLA_NUM_TX_QUEUES", 1), ("IFLA_NUM_RX_QUEUES", 1)
"""The queues of a pair. By default, the kernel makes a queue for each processor, and waits until it
has removed all but one. That is half of the time that a pair takes."""


def make_pairs(resources: Sequence[VethPair]) -> None:
    """Make pairs, each with both ends in their namespaces from the start.

    A device that has the outer end's name is replaced. Its other end is in no named namespace: a
    namespace removed by hand lives on while a program is in it.
    """
    for namespace, pairs in by_namespace(resources, lambda resource: resource.peer_namespace):
        with netlink(namespace) as kernel:
            dead = [resource for resource in pairs if kernel.has(resource.peer)]
            kernel.ask(
                (_deletion(resource, kernel.index(resource.peer)) for resource in dead), GONE
            )
            for batch in batches(pairs):
                with _opened(batch) as descriptors:
                    kernel.ask(_pair(each, descriptors[each.namespace]) for each in batch)


def _pair(resource: VethPair, namespace: int) -> Request:
    far_end = nest(_name(resource.device), ("IFLA_NET_NS_FD", namespace), *ONE_QUEUE)
    data = nest(("VETH_INFO_PEER", far_end))
    info = nest(("IFLA_INFO_KIND", VETH), ("IFLA_INFO_DATA", data))
    near_end = message(ifinfmsg, [_name(resource.peer), *ONE_QUEUE, ("IFLA_LINKINFO", info)])
    return Request(resource, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, near_end)


def _name(device: str) -> tuple[str, bytes]:
    return "IFLA_IFNAME", as_bytes(device)


def remove_pairs(resources: Sequence[VethPair]) -> None:
    """Remove pairs, both ends at once.

    The kernel waits with each removal, but no longer for a group of devices than for one. So the
    ends that are in one namespace become a group there, and the group is removed.
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
    """Move devices to their namespaces, apply their settings, and set them up."""
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
                        ethtool.tx_checksum(control, resource.name, resource.tx_checksum)
                    except OSError as error:
                        raise refusal(resource, error) from error
            kernel.ask(_settings(kernel, resource) for resource in devices)


def _settings(kernel: Netlink, resource: Device) -> Request:
    # The kernel sets the MAC before it sets the device up: its announcements then carry the MAC.
    settings: list[tuple[str, object]] = [_name(resource.name), ("IFLA_GROUP", 0)]
    if resource.mac is not None and resource.mac != _mac(kernel.link(resource.name)):
        # Only if it differs: it makes the kernel forget all neighbours, even permanent ones.
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
        with netlink(namespace) as kernel:
            dead = [each for each in devices if kernel.has(each.name)]  # see `links.resources`
            kernel.ask(_deletion(each, kernel.index(each.name)) for each in dead)
    with netlink(ROOT) as kernel:
        for batch in batches(made):
            with _opened(batch) as descriptors:
                kernel.ask(_relocation(each, descriptors[each.namespace]) for each in batch)


def _relocation(resource: Device, namespace: int) -> Request:
    moved = message(ifinfmsg, [_name(resource.name), ("IFLA_NET_NS_FD", namespace)])
    return Request(resource, RTM_SETLINK, 0, moved)


def _deletion(resource: VethPair | Device, index: int) -> Request:
    return Request(resource, RTM_DELLINK, 0, message(ifinfmsg, index=index))


def return_devices(resources: Sequence[Device]) -> None:
    """Return devices whose ports stay to the host's own namespace, where OVS made them."""
    with opened(ROOT) as root:
        for namespace, devices in by_namespace(
            resource for resource in resources if resource.namespace
        ):
            if exists(namespace):
                with netlink(namespace) as kernel:
                    there = [f for f in devices if kernel.has(f.name) and f.name != "lo"]
                    kernel.ask((_relocation(resource, root) for resource in there), GONE)


@contextmanager
def _opened(resources: Iterable[VethPair | Device]) -> Iterator[Mapping[str, int]]:
    """Yield the file descriptor of each resource's namespace."""
    with ExitStack() as stack:
        names = {resource.namespace for resource in resources}
        yield {name: stack.enter_context(opened(name)) for name in names}
