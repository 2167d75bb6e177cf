"""Make the instances that an edit brings from another host: make before break.

It prepares an instance's network card, with its DHCP address of the other host, as a migrated guest
has, and plugs it in last. Then it announces the instance repeatedly.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from dvr_ryu.companion.agent import amend
from dvr_ryu.companion.change import HostChange, change
from dvr_ryu.companion.desired.instances import leased
from dvr_ryu.companion.host import Host
from dvr_ryu.companion.providers.commands import run
from dvr_ryu.companion.providers.kernel.announce import AnnouncedAddress, announce, announcements
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import ProxyNeighbour
from dvr_ryu.topology.family import Family
from dvr_ryu.topology.model import instance_namespace
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
    late = {resource.key for resource in desired if _is_late(resource, namespaces)} - present
    ready = tuple(resource for resource in desired if resource.key not in late)
    amend(host, ready, known)
    addresses = list(_set_leased(view, names))
    amend(host, desired, ready)
    done = change(desired, known)
    own = addressed((*addresses, *desired), namespaces)
    announce([*own, *announcements(done)], ANNOUNCED_AFTER)
    return done


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
