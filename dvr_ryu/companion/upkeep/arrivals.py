"""Make the instances that an edit brings from another host: make before break.

It prepares an instance's network card, with its DHCP address of the other host, as a migrated guest
has, and plugs it in last. Then it announces the instance repeatedly. A virtual machine comes with
all that it has: it is plugged in, and announces itself, once it runs here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dvr_ryu.companion.agent import amend
from dvr_ryu.companion.change import HostChange, change
from dvr_ryu.companion.desired.instances import leased
from dvr_ryu.companion.desired.virtual_machines import migration_uri
from dvr_ryu.companion.host import Host
from dvr_ryu.companion.providers.commands import run
from dvr_ryu.companion.providers.kernel.announce import AnnouncedAddress, announce, announcements
from dvr_ryu.companion.providers.processes import migrations
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import ProxyNeighbour
from dvr_ryu.companion.resources.virtual_machine import VirtualMachine
from dvr_ryu.companion.upkeep.reporting import log
from dvr_ryu.topology.family import Family
from dvr_ryu.topology.model import COMPUTE, QEMU, instance_namespace
from dvr_ryu.topology.view import HostView

ANNOUNCED_AFTER = (0.1, *[0.03] * 80)
"""Pauses before each announcement of an arrival, until its old host sends nothing more from it:
that would teach learning switches the old way again.
"""


def amend_for_arrivals(
    host: Host,
    view: HostView,
    desired: tuple[Resource, ...],
    known: tuple[Resource, ...],
    names: Collection[str],
) -> HostChange:
    """Amend a host to which instances come: their ports, clients and floating addresses last."""
    namespaces = {instance_namespace(name) for name in names}
    present = {resource.key for resource in known}
    of_machines = _of_machines(view, desired, names) - present
    of_namespaces = {each.key for each in desired if _is_late(each, namespaces)} - present
    late = of_namespaces | of_machines
    ready = tuple(resource for resource in desired if resource.key not in late)
    amend(host, ready, known)
    addresses = list(_set_leased(view, names))
    all_but_machines = tuple(each for each in desired if each.key not in of_machines)
    amend(host, all_but_machines, ready)
    own = addressed((*addresses, *desired), namespaces)
    announce([*own, *announcements(change(all_but_machines, known))], ANNOUNCED_AFTER)
    if of_machines:
        _let_machines_arrive(host, view, desired, all_but_machines)
    return change(desired, known)


def _of_machines(view: HostView, desired: Iterable[Resource], names: Collection[str]) -> set[Key]:
    """The keys of virtual machines that come, and of their ports."""
    devices = {
        port.device
        for port in view.local_ports_of(COMPUTE)
        if port.guest == QEMU and port.name in names
    }
    return {
        each.key
        for each in desired
        if (isinstance(each, OvsPort) and each.name in devices)
        or (isinstance(each, VirtualMachine) and each.instance in names)
    }


def _let_machines_arrive(
    host: Host, view: HostView, desired: tuple[Resource, ...], known: tuple[Resource, ...]
) -> None:
    """Receive machines from their old hosts; those that do not come are started here."""
    present = {resource.key for resource in known}
    awaited = {
        each: migration_uri(view.topology, each.instance)
        for each in desired
        if isinstance(each, VirtualMachine) and each.key not in present
    }
    arrived = migrations.receive(awaited)
    for each in awaited:
        how = "came running" if each in arrived else "did not come in time: it is started anew"
        log(f"{view.host.name}: the virtual machine {each.instance} {how}")
    amend(host, desired, (*known, *arrived))
    migrations.announce(each.instance for each in arrived)


def addressed(resources: Iterable[Resource], namespaces: Collection[str]) -> list[AnnouncedAddress]:
    """The IPv4 addresses that resources have in some namespaces, to be announced."""
    return [
        (resource.namespace, resource.device, resource.address.split("/")[0])
        for resource in resources
        if isinstance(resource, Address)
        and resource.family is Family.IPV4
        and resource.namespace in namespaces
    ]


def _is_late(resource: Resource, namespaces: set[str]) -> bool:
    if isinstance(resource, ProxyNeighbour):
        return True
    return isinstance(resource, OvsPort | Process) and resource.namespace in namespaces


def _set_leased(view: HostView, names: Collection[str]) -> Iterable[Address]:
    """Set the DHCP addresses of cards as their clients would, which will find and renew them."""
    lines: dict[str, list[str]] = {}
    for resource in leased(view, names):
        its = lines.setdefault(resource.namespace, [])
        if isinstance(resource, Address):
            its.append(f"address replace {resource.address} broadcast + dev {resource.device}")
            yield resource
        else:
            via = f"via {resource.via} " if resource.via else ""
            its.append(
                f"route replace {resource.destination} {via}dev {resource.device} proto dhcp"
            )
    for namespace, its in lines.items():
        run(["ip", "-n", namespace, "-batch", "-"], "\n".join(its))
