"""Namespaces, wires, devices, settings and routing, in words of iproute2 and sysctl. Pure text."""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.companion.resources.describe import describe, inside, ip, routing
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import Namespace, in_instance
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.sysctl import RestoredSysctl, Sysctl
from dvr_ryu.companion.resources.veth_pair import VethPair
from dvr_ryu.companion.script import notes


def make_namespace(resource: Namespace) -> Iterator[str]:
    """Note that it is ours, then add it."""
    yield f": > {notes.namespace(resource.name)}"
    yield describe(resource)


def unmake_namespace(resource: Namespace) -> Iterator[str]:
    """Remove it, what its DHCP clients wrote, then the note."""
    yield f"ip netns del {resource.name}"
    if in_instance(resource.name):
        yield f"rm -f /etc/netns/{resource.name}/resolv.conf"
        yield f"[ ! -d /etc/netns/{resource.name} ] || rmdir /etc/netns/{resource.name} || :"
    yield f"rm -f {notes.namespace(resource.name)}"


def make_wire(resource: VethPair) -> Iterator[str]:
    """Add both ends, each in its place."""
    yield describe(resource)


def unmake_wire(resource: VethPair) -> Iterator[str]:
    """Remove one end; the other goes with it."""
    yield f"{ip(resource.namespace)} link del {resource.device}"


def make_device(resource: Device, old: Device | None) -> Iterator[str]:
    """Move a device to its place, if Open vSwitch has made it elsewhere; set it up.

    The MAC is not set for nothing: the kernel forgets all neighbours by it, even permanent ones.
    """
    if old is None and resource.container[0] == "port" and resource.namespace:
        yield f"ip link set {resource.name} netns {resource.namespace}"
    mac = (
        f" address {resource.mac}"
        if resource.mac and (old is None or old.mac != resource.mac)
        else ""
    )
    mtu = f" mtu {resource.mtu}" if resource.mtu else ""
    if resource.tx_checksum is not None:
        state = "on" if resource.tx_checksum else "off"
        yield f"{inside(resource.namespace)}ethtool -K {resource.name} tx {state} > /dev/null"
    yield f"{ip(resource.namespace)} link set {resource.name}{mac}{mtu} up"


def unmake_device(resource: Device) -> Iterator[str]:
    """Give it back to the host's own namespace, where its port is."""
    if resource.namespace and resource.name != "lo":
        yield f"{ip(resource.namespace)} link set {resource.name} netns 1"


def make_sysctl(resource: Sysctl) -> Iterator[str]:
    """Set a value, if this kernel has the setting."""
    yield f"{inside(resource.namespace)}sysctl -q -e -w {resource.name}={resource.value}"


def unmake_sysctl(resource: Sysctl) -> Iterator[str]:
    """Nothing: it ends with its namespace or its device."""
    yield from ()


def make_kept_sysctl(resource: RestoredSysctl, old: RestoredSysctl | None) -> Iterator[str]:
    """Note what it is, then set the value."""
    place, note = inside(resource.namespace), notes.kept_sysctl(resource)
    if old is None:
        yield f"[ -e {note} ] || {place}sysctl -n {resource.name} > {note}"
    yield f"{place}sysctl -q -w {resource.name}={resource.value}"


def unmake_kept_sysctl(resource: RestoredSysctl) -> Iterator[str]:
    """Put back what was noted, if what has it is still there."""
    place, note = inside(resource.namespace), notes.kept_sysctl(resource)
    yield f'{place}sysctl -q -w {resource.name}="$(cat {note})" 2> /dev/null || :'
    yield f"rm {note}"


def route(resource: Resource) -> Iterator[str]:
    """Add or replace an address, a route, a rule or a neighbour."""
    yield describe(resource)


def unroute(resource: Resource) -> Iterator[str]:
    """Remove one of them."""
    yield routing(resource, "del")
