"""Virtual machines: each a process of qemu, with a tap on br-int for each card. Pure.

A machine sets itself up: it asks for its addresses by DHCP, as any guest does, where its networks
have that, and finds the others on its kernel's command line. After an edit of one of these the
companion restarts it, as a user would restart an instance. Options of DHCP arrive when it renews
its lease.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from dvr_ryu.companion.desired import instances
from dvr_ryu.companion.desired.bridges import integration_port
from dvr_ryu.companion.desired.cache import ResourceCache
from dvr_ryu.companion.desired.common import quiet_outer_end
from dvr_ryu.companion.resources.device import device_key
from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.companion.resources.tap import Tap
from dvr_ryu.companion.resources.virtual_machine import VirtualMachine, argv_of, process_name
from dvr_ryu.topology import model
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

FIRST_PORT, LAST_PORT = 49152, 65535
"""The ports of TCP at which machines are awaited, as libvirt has them: by the number of a machine's
port on br-int, which no other has there."""


def resources(view: HostView, offloads: bool, cache: ResourceCache) -> Iterator[Resource]:
    """Yield the virtual machines of this host. Without `offloads`, their cards complete checksums
    and segments themselves: a userspace datapath does neither.
    """
    machines: dict[str, list[model.Port]] = {}
    for port in view.local_ports_of(model.COMPUTE):
        if port.guest == model.QEMU:
            machines.setdefault(port.name, []).append(port)
    for name, unordered in machines.items():
        cards = sorted(unordered, key=lambda port: port.number)
        made_of = (offloads, cards, [instances.circumstances(view, port) for port in cards])
        make = partial(_of_machine, view, name, cards, offloads)
        yield from cache.resources(f"machine {name}", made_of, make)


def migration_uri(topology: Topology, instance: str) -> str:
    """Where the host of a virtual machine awaits its state from the host that it leaves."""
    card = topology.instances[instance]
    port = FIRST_PORT + card.ofport % (LAST_PORT + 1 - FIRST_PORT)
    return f"tcp:{topology.hosts[card.host].address}:{port}"


def _of_machine(
    view: HostView, name: str, cards: Sequence[model.Port], offloads: bool
) -> Iterator[Resource]:
    for port in cards:
        tap = Tap(port.device)
        yield tap
        yield from quiet_outer_end(view, port.device, None, tap.key)
        yield integration_port(view, port, ROOT, tap.key)
    taps = [(port.device, port.mac) for port in cards]
    words = [word for port in cards for word in _words(view, port)]
    argv = argv_of(name, taps, offloads, words)
    yield VirtualMachine(process_name(name), ROOT, argv, device_key(ROOT, cards[0].device))


def _words(view: HostView, port: model.Port) -> Iterator[str]:
    """A card's part of the kernel's command line; the guest's first program reads it."""
    card = f"dvr.{port.card}"
    if instances.is_served(view, port):
        yield f"{card}.dhcp={port.ip}"
        static: Iterable[Address | Route] = instances.further_addresses(port)
    else:
        yield f"{card}.mtu={view.topology.underlay.overlay_mtu}"
        static = (*instances.static_address(view, port), *instances.further_addresses(port))
    for each in static:
        if isinstance(each, Address):
            yield f"{card}.address={each.address}"
        else:
            yield f"{card}.route={each.destination},{each.via or ''}"
