"""What a companion does so that an instance which moves is never nowhere: make before break.

The host that it comes to makes its network card ready, with the address that it had, as a migrated
guest has, and plugs it in last. The host that it leaves keeps it until its port is shut by the
controller, whose flows lead to the new host by then; or for a while, if no controller does so.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

from attrs import frozen

from dvr_ryu.companion.agent import amend
from dvr_ryu.companion.change import Change, change
from dvr_ryu.companion.edges import links
from dvr_ryu.companion.edges.announce import announce, announcements
from dvr_ryu.companion.edges.commands import run
from dvr_ryu.companion.facts.instances import leased
from dvr_ryu.companion.facts.kinds import Address, Fact, OvsPort, Process, ProxyNeighbour
from dvr_ryu.companion.host import Host
from dvr_ryu.errors import FileError
from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.model import instance_namespace
from dvr_ryu.topology.moves import moved
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

PATIENCE = 10.0
"""Seconds for which an instance is kept that has left, if nobody shuts its port."""
ANNOUNCED_AFTER = (0.1, *[0.03] * 80)
"""Pauses before each announcement of what has arrived, until nothing is sent from where it was:
that would teach learning switches the old way again.
"""


@frozen
class Leaving:
    """Instances that are kept here until they have arrived elsewhere."""

    devices: dict[str, str]
    """Name → its port on br-int."""
    deadline: float

    @classmethod
    def of(cls, host: str, before: Topology | None, after: Topology) -> Leaving | None:
        """Those that an edit takes from a host, which the topology still has, to another."""
        if before is None or host not in after.hosts:
            return None
        devices = {
            name: before.instances[name].device
            for name, old_host in moved(before, after).items()
            if old_host == host
        }
        return cls(devices, time.monotonic() + PATIENCE) if devices else None

    def silence(self) -> None:
        """Shut their ports, if nobody did: their clients must not give back leases in use."""
        up = links.up(self.devices.values())
        if up:
            run(["ip", "-batch", "-"], "".join(f"link set {device} down\n" for device in up))

    def still_here(self) -> Leaving | None:
        """Those of them whose ports are not shut yet, nor their time over."""
        if time.monotonic() > self.deadline:
            return None
        up = links.up(self.devices.values())
        devices = {name: device for name, device in self.devices.items() if device in up}
        return Leaving(devices, self.deadline) if devices else None


def in_force(declaration: Declaration, host: str, leaving: Leaving | None) -> Topology:
    """What a declaration means on a host that keeps some instances."""
    try:
        return declaration.with_hosts(dict.fromkeys(leaving.devices if leaving else (), host))
    except FileError:
        return declaration.topology


def arriving(host: str, before: Topology | None, after: Topology) -> set[str]:
    """The instances that an edit brings to a host from another."""
    if before is None:
        return set()
    return {name for name in moved(before, after) if after.instances[name].host == host}


def amend_for_arrivals(
    host: Host,
    view: HostView,
    should: tuple[Fact, ...],
    known: tuple[Fact, ...],
    names: Collection[str],
) -> Change:
    """Amend a host to which instances come: their ports, clients and floating addresses last."""
    places = {instance_namespace(name) for name in names}
    present = {fact.key for fact in known}
    late = {fact.key for fact in should if _is_late(fact, places)} - present
    ready = tuple(fact for fact in should if fact.key not in late)
    amend(host, ready, known)
    addresses = list(_set_leased(view, names))
    amend(host, should, ready)
    done = change(should, known)
    own = [(fact.namespace, fact.device, fact.address.split("/")[0]) for fact in addresses]
    announce([*own, *announcements(done.added)], ANNOUNCED_AFTER)
    return done


def _is_late(fact: Fact, places: set[str]) -> bool:
    if isinstance(fact, ProxyNeighbour):
        return True
    return isinstance(fact, OvsPort | Process) and fact.namespace in places


def _set_leased(view: HostView, names: Collection[str]) -> Iterable[Address]:
    """Give cards what their clients had from DHCP, as they would: they will find it and renew."""
    lines: dict[str, list[str]] = {}
    for fact in leased(view, names):
        its = lines.setdefault(fact.namespace, [])
        if isinstance(fact, Address):
            its.append(f"address add {fact.address} broadcast + dev {fact.device}")
            yield fact
        else:
            via = f"via {fact.via} " if fact.via else ""
            its.append(f"route replace {fact.destination} {via}dev {fact.device} proto dhcp")
    for namespace, its in lines.items():
        run(["ip", "-n", namespace, "-batch", "-"], "\n".join(its))
