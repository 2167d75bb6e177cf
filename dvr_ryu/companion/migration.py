"""What a companion does so that an instance which moves is never nowhere: make before break.

The host that it comes to makes its network card ready, with the address that it had, as a migrated
guest has, and plugs it in last. The host that it leaves keeps it until its ports are shut by the
controller, whose flows lead to the new host by then; or for a while, if there is no controller.
If the host that it leaves goes, too, all others keep the tunnel to it as long as flows lead there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from itertools import chain

from attrs import evolve, field, frozen

from dvr_ryu.companion.agent import amend
from dvr_ryu.companion.change import HostChange, change
from dvr_ryu.companion.desired.instances import leased
from dvr_ryu.companion.host import Host
from dvr_ryu.companion.providers.commands import run
from dvr_ryu.companion.providers.kernel.announce import AnnouncedAddress, announce, announcements
from dvr_ryu.companion.providers.netlink import links
from dvr_ryu.companion.providers.ovs_ofctl import flows
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import ProxyNeighbour
from dvr_ryu.topology.bridges import Plug, bridge_of
from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.model import instance_namespace
from dvr_ryu.topology.placement import AS_DECLARED, Retained, in_force, retained
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

PATIENCE = 10.0
"""Seconds for which what leaves is kept without a controller."""
ANNOUNCED_AFTER = (0.1, *[0.03] * 80)
"""Pauses before each announcement of what has arrived, until nothing is sent from where it was:
that would teach learning switches the old way again.
"""


@frozen
class Leaving:
    """What this host retains, and until when it does so without a controller."""

    retained: Retained
    deadline: float = field(eq=False)
    """By the monotonic clock."""

    @classmethod
    def of(cls, host: str, before: Topology, declaration: Declaration) -> Leaving | None:
        """What an edit takes from a host, as far as it is there."""
        found = retained(host, before, declaration)
        return cls(found, time.monotonic() + PATIENCE).still_here(lambda: False) if found else None

    def __str__(self) -> str:
        return str(self.retained)

    def silence(self) -> None:
        """Shut their ports, if nobody did: their clients must not give back leases in use."""
        up = links.up(self._devices())
        if up:
            run(["ip", "-batch", "-"], "".join(f"link set {device} down\n" for device in up))

    def still_here(self, is_led: Callable[[], bool]) -> Leaving | None:
        """What of it is still needed here: a controller makes an end of it, if there is one;
        `is_led` tells, once it takes long.
        """
        now, deadline = time.monotonic(), self.deadline
        if now > deadline:
            if not is_led():
                return None
            deadline = now + PATIENCE
        bridge, tunnels = bridge_of(Plug.TUNNELS), self.retained.tunnels.values()
        used = {device for device in tunnels if flows.use(bridge, device)}
        still = self.retained.still({*links.up(self._devices())}, used)
        return evolve(self, retained=still, deadline=deadline) if still else None

    def _devices(self) -> Iterable[str]:
        return chain.from_iterable(self.retained.devices.values())

    def resources(self, host: Host) -> tuple[Resource, ...]:
        """The tunnels, as they were."""
        if not self.retained.tunnels:
            return ()
        return host.tunnels(HostView(self.retained.before, host.name), self.retained.tunnels)


def topology_in_force(declaration: Declaration, host: str, leaving: Leaving | None) -> Topology:
    """What a declaration means on a host that retains some instances."""
    placement = leaving.retained.placement(host) if leaving else AS_DECLARED
    return in_force(declaration, placement)[0]


def amend_for_arrivals(
    host: Host,
    view: HostView,
    should: tuple[Resource, ...],
    known: tuple[Resource, ...],
    names: Collection[str],
) -> HostChange:
    """Amend a host to which instances come: their ports, clients and floating addresses last."""
    places = {instance_namespace(name) for name in names}
    present = {resource.key for resource in known}
    late = {resource.key for resource in should if _is_late(resource, places)} - present
    ready = tuple(resource for resource in should if resource.key not in late)
    amend(host, ready, known)
    addresses = list(_set_leased(view, names))
    amend(host, should, ready)
    done = change(should, known)
    own = addressed((*addresses, *should), places)
    announce([*own, *announcements(done)], ANNOUNCED_AFTER)
    return done


def addressed(resources: Iterable[Resource], namespaces: Collection[str]) -> list[AnnouncedAddress]:
    """Where resources say that namespaces have addresses of their own."""
    return [
        (resource.namespace, resource.device, resource.address.split("/")[0])
        for resource in resources
        if isinstance(resource, Address) and resource.namespace in namespaces
    ]


def _is_late(resource: Resource, places: set[str]) -> bool:
    if isinstance(resource, ProxyNeighbour):
        return True
    return isinstance(resource, OvsPort | Process) and resource.namespace in places


def _set_leased(view: HostView, names: Collection[str]) -> Iterable[Address]:
    """Give cards what their clients had from DHCP, as they would: they will find it and renew."""
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
