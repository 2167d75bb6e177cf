"""Namespaces, wires, devices, settings and routing, in words of iproute2 and sysctl. Pure text."""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.companion.facts.kinds import (
    Device,
    Fact,
    KeptSysctl,
    Namespace,
    Sysctl,
    VethPair,
    in_instance,
)
from dvr_ryu.companion.facts.words import describe, inside, ip, routing
from dvr_ryu.companion.script import notes


def make_namespace(fact: Namespace) -> Iterator[str]:
    """Note that it is ours, then add it."""
    yield f": > {notes.namespace(fact.name)}"
    yield describe(fact)


def unmake_namespace(fact: Namespace) -> Iterator[str]:
    """Remove it, what its DHCP clients wrote, then the note."""
    yield f"ip netns del {fact.name}"
    if in_instance(fact.name):
        yield f"rm -f /etc/netns/{fact.name}/resolv.conf"
        yield f"[ ! -d /etc/netns/{fact.name} ] || rmdir /etc/netns/{fact.name} || :"
    yield f"rm -f {notes.namespace(fact.name)}"


def make_wire(fact: VethPair) -> Iterator[str]:
    """Add both ends, each in its place."""
    yield describe(fact)


def unmake_wire(fact: VethPair) -> Iterator[str]:
    """Remove one end; the other goes with it."""
    yield f"{ip(fact.namespace)} link del {fact.device}"


def make_device(fact: Device, old: Device | None) -> Iterator[str]:
    """Move a device to its place, if Open vSwitch has made it elsewhere; set it up.

    The MAC is not set for nothing: the kernel forgets all neighbours by it, even permanent ones.
    """
    if old is None and fact.container[0] == "port" and fact.namespace:
        yield f"ip link set {fact.name} netns {fact.namespace}"
    mac = f" address {fact.mac}" if fact.mac and (old is None or old.mac != fact.mac) else ""
    mtu = f" mtu {fact.mtu}" if fact.mtu else ""
    if fact.tx_checksum is not None:
        state = "on" if fact.tx_checksum else "off"
        yield f"{inside(fact.namespace)}ethtool -K {fact.name} tx {state} > /dev/null"
    yield f"{ip(fact.namespace)} link set {fact.name}{mac}{mtu} up"


def unmake_device(fact: Device) -> Iterator[str]:
    """Give it back to the host's own namespace, where its port is."""
    if fact.namespace and fact.name != "lo":
        yield f"{ip(fact.namespace)} link set {fact.name} netns 1"


def make_sysctl(fact: Sysctl) -> Iterator[str]:
    """Set a value, if this kernel has the setting."""
    yield f"{inside(fact.namespace)}sysctl -q -e -w {fact.name}={fact.value}"


def unmake_sysctl(fact: Sysctl) -> Iterator[str]:
    """Nothing: it ends with its namespace or its device."""
    yield from ()


def make_kept_sysctl(fact: KeptSysctl, old: KeptSysctl | None) -> Iterator[str]:
    """Note what it is, then set the value."""
    place, note = inside(fact.namespace), notes.kept_sysctl(fact)
    if old is None:
        yield f"[ -e {note} ] || {place}sysctl -n {fact.name} > {note}"
    yield f"{place}sysctl -q -w {fact.name}={fact.value}"


def unmake_kept_sysctl(fact: KeptSysctl) -> Iterator[str]:
    """Put back what was noted, if what has it is still there."""
    place, note = inside(fact.namespace), notes.kept_sysctl(fact)
    yield f'{place}sysctl -q -w {fact.name}="$(cat {note})" 2> /dev/null || :'
    yield f"rm {note}"


def route(fact: Fact) -> Iterator[str]:
    """Add or replace an address, a route, a rule or a neighbour."""
    yield describe(fact)


def unroute(fact: Fact) -> Iterator[str]:
    """Remove one of them."""
    yield routing(fact, "del")
