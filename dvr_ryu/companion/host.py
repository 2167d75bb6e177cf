"""This host: which resources hold on it, and making them others. The only place that knows every
edge.

One companion at a time works on a host: a lock in the run directory sees to it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from attrs import evolve

from dvr_ryu.companion import apply_order
from dvr_ryu.companion.change import HostChange
from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.desired.bridges import beside, datapath_of, tunnels
from dvr_ryu.companion.desired.cache import ResourceCache
from dvr_ryu.companion.desired.tls import DEFAULTS, TlsOptions
from dvr_ryu.companion.foreign import FirewallRules, Stranger
from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers import commands, notes
from dvr_ryu.companion.providers.dnsmasq import leases, servers
from dvr_ryu.companion.providers.iptables import firewall, nat
from dvr_ryu.companion.providers.kernel import rights, sysctls
from dvr_ryu.companion.providers.kernel.announce import announce, announcements
from dvr_ryu.companion.providers.locks import locked_within
from dvr_ryu.companion.providers.netlink import conntrack, links, namespaces, routing
from dvr_ryu.companion.providers.netlink.client import netlink
from dvr_ryu.companion.providers.netlink.datapath import datapath_type
from dvr_ryu.companion.providers.ovs_ofctl import flows
from dvr_ryu.companion.providers.ovsdb.bridges import Ovsdb
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.providers.ovsdb.tls import TlsTable
from dvr_ryu.companion.providers.processes import processes, renewals
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.dhcp.leases import LeaseBook, StaleLease
from dvr_ryu.companion.resources.dhcp.lines import DhcpHost, DhcpOption
from dvr_ryu.companion.resources.dhcp.renewal import Renewal
from dvr_ryu.companion.resources.namespace import ROOT, Namespace, in_instance
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.netfilter.hooked_chain import HookedChain
from dvr_ryu.companion.resources.netfilter.translation import Translation
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Key, Resource, programs_of
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import Neighbour, ProxyNeighbour
from dvr_ryu.companion.resources.routing.route import KernelRoute, Route
from dvr_ryu.companion.resources.routing.rule import KernelRule, Rule
from dvr_ryu.companion.resources.sysctl import RestoredSysctl, Sysctl
from dvr_ryu.companion.resources.veth_pair import VethPair
from dvr_ryu.ending import guard
from dvr_ryu.errors import HostError
from dvr_ryu.pki import certificates
from dvr_ryu.pki.files import of_host
from dvr_ryu.topology.bridges import BRIDGES
from dvr_ryu.topology.view import HostView

__all__ = ["Host", "Progress", "locked"]

PATIENCE = 1.0
"""Seconds to wait for a companion that is just ending, or that was killed while it forked."""

Progress = Callable[[int, int], None]
"""Told how many resources are done, of how many."""


class Host:
    """This machine, in the part of one host of a topology."""

    def __init__(self, name: str, database: Database, options: TlsOptions = DEFAULTS) -> None:
        """Raise HostError without root, or without Open vSwitch."""
        rights.require()
        self.name = name
        self._options = options
        self._ovsdb = Ovsdb(name, database)
        self._tls = TlsTable(name, database)
        self._edges = _edges(self._ovsdb, self._tls)
        self._kept = ResourceCache()
        self.strangers: list[Stranger] = []
        """What `read` saw on our bridges that is not ours."""
        self.foreign_rules: tuple[FirewallRules, ...] = ()
        """What it saw in our namespaces, of netfilter, that is not ours."""
        self._chains = nat.Reader()

    def should(self, view: HostView) -> tuple[Resource, ...]:
        """Return the resources of a view, beside the bridges that were here before us."""
        found = self._ovsdb.given(BRIDGES)
        datapath = datapath_of(found.values(), datapath_type())
        should = desired_resources(view, datapath, self._kept, self._options)
        return tuple(beside(resource, found) for resource in should) if found else should

    def tunnels(self, view: HostView, hosts: Collection[str]) -> tuple[Resource, ...]:
        """Return the tunnels to some hosts, of the resources of a view."""
        found = self._ovsdb.given(BRIDGES)
        names = {view.topology.tunnel_devices[host] for host in hosts}
        return tuple(
            beside(resource, found) for resource in tunnels(view) if resource.name in names
        )

    def is_led(self) -> bool:
        """Whether a controller is connected."""
        return self._ovsdb.is_led()

    def refusal(self) -> str | None:
        """What Open vSwitch says of our controller, if no bridge is connected to it."""
        return self._tls.refusal()

    def put_back(self) -> None:
        """Give bridges the flows of others that an attempt which failed, or was killed, has left.

        What it asked of Open vSwitch last may still be under way, and take all flows away.
        """
        if flows.waiting():
            self._ovsdb.await_switch()
            flows.put_back()

    # What is ------------------------------------------------------------------------------------

    def read(self, should: Iterable[Resource]) -> list[Resource]:
        """Return the resources that hold. Of sysctls, and of what the kernel makes by itself, only
        those of `should` are read; of what is in an instance, those and what we have set.
        """
        named = {
            (resource.kind, resource.name)
            for resource in should
            if isinstance(resource, Bridge | OvsPort)
        }
        wanted: dict[str, list[Sysctl]] = {}
        routed: dict[str, dict[Key, Resource]] = {}
        for resource in should:
            if isinstance(resource, Sysctl):
                wanted.setdefault(resource.namespace, []).append(resource)
            elif isinstance(resource, KernelRoute | KernelRule) or (
                isinstance(resource, Address | Route) and in_instance(resource.namespace)
            ):
                routed.setdefault(resource.namespace, {})[resource.key] = resource
        seen: list[links.Link] = []
        with ThreadPoolExecutor(2) as pool:
            switch = pool.submit(self._ovsdb.read, named)
            running = list(processes.read())
            found: list[Resource] = [*namespaces.read(), *running, *servers.read()]
            places = [
                ROOT,
                *(resource.name for resource in found if isinstance(resource, Namespace)),
            ]
            chains = pool.submit(self._chains.read, places)
            filtered = pool.submit(lambda: [*firewall.read()])
            found += leases.read({resource.name: resource for resource in running if resource.argv})
            found += [*sysctls.read_kept(), *conntrack.read()]
            leased, lost = renewals.leased(), set[str]()
            bridges, ports, strangers = switch.result()
            tls, replaced = self._tls.read(any(isinstance(f, SwitchTls) for f in should))
            self.strangers = [*replaced, *strangers]
            names = {port.name for port in ports}
            for place in places:
                with netlink(place) as kernel:
                    here = list(links.observe(kernel, names))
                    seen += here
                    found += sysctls.read(wanted.get(place, ()))
                    ours = [link.name for link in here if place or link.name.startswith("gw-")]
                    found += routing.read(kernel, ours, routed.get(place, {}))
                    up = [link.name for link in here if link.ready]
                    lost.update(renewals.lost(kernel, leased.get(place, {}), up))
            found += renewals.read(lost)
            rules = chains.result()
            self.foreign_rules = rules.foreign
            found += [*rules.chains, *filtered.result(), *tls, *bridges]
        wires_and_devices = list(
            links.resources(seen, {port.name: port.namespace for port in ports})
        )
        return [*found, *wires_and_devices, *_with_loss(ports, seen, wires_and_devices)]

    # The change ---------------------------------------------------------------------------------

    def execute(self, change: HostChange, on_progress: Progress) -> None:
        """Make a change, and announce the addresses that are new here, or have another MAC.

        Raise HostError before anything is made, if a program is missing that it takes, or TLS is to
        begin with files that are no good.
        """
        commands.require_all(programs_of(change.made))
        if any(isinstance(resource, SwitchTls) for resource in change.made):
            certificates.require(of_host(self._options.pki, self.name), time.time())
        total = len(change.made) + sum(map(len, change.removals))
        done = 0

        def count(resources: int) -> None:
            nonlocal done
            done += resources
            on_progress(done, total)

        def remove(last: bool) -> None:
            for kind, resources in change.removals_of(last):
                unmake, _ = self._edges[kind]
                unmake(resources)
                count(len(resources))

        remove(last=False)
        makers = {kind: make for kind, (_, make) in self._edges.items()}
        apply_order.make(change.made, makers, count)
        remove(last=True)
        announce(announcements(change))


def _with_loss(
    ports: Iterable[OvsPort], seen: Iterable[links.Link], made_of_them: Iterable[Resource]
) -> Iterator[OvsPort]:
    """Mark the ports whose device is gone. OVS would not notice: it holds on to what it opened.

    An internal port's device is in its namespace, or where OVS makes it; an instance's is the end
    of a pair of veth devices.
    """
    devices = {(link.namespace, link.name) for link in seen}
    pairs = {
        resource.peer: resource.key for resource in made_of_them if isinstance(resource, VethPair)
    }
    for port in ports:
        type = port.interface.get("type", "")
        lost = (type == "" and port.name not in pairs) or (
            type == "internal" and not devices & {(port.namespace, port.name), (ROOT, port.name)}
        )
        yield evolve(port, lost=lost, veth=pairs.get(port.name) if type == "" else None)


def _edges(ovsdb: Ovsdb, tls: TlsTable) -> dict[type[Resource], tuple[Any, Any]]:
    """Kind → how resources of it are unmade, and made."""
    routes = (routing.unmake, routing.make)
    return {
        Namespace: (namespaces.unmake, namespaces.make),
        VethPair: (links.unmake_wires, links.make_wires),
        SwitchTls: (tls.unmake, tls.make),
        Bridge: (ovsdb.unmake_bridges, ovsdb.make_bridges),
        OvsPort: (ovsdb.unmake_ports, ovsdb.make_ports),
        Device: (links.unmake_devices, links.make_devices),
        Sysctl: (sysctls.unmake, sysctls.make),
        RestoredSysctl: (sysctls.unmake_kept, sysctls.make_kept),
        Address: routes,
        Route: routes,
        Rule: routes,
        KernelRoute: routes,
        KernelRule: routes,
        Neighbour: routes,
        ProxyNeighbour: routes,
        Chain: (nat.unmake, nat.make),
        HookedChain: (firewall.unmake, firewall.make),
        Translation: (conntrack.unmake, conntrack.make),
        DhcpHost: (servers.unmake, servers.make),
        DhcpOption: (servers.unmake, servers.make),
        Renewal: (renewals.unmake, renewals.make),
        LeaseBook: (leases.unmake_books, leases.make_books),
        StaleLease: (leases.unmake_stale, leases.make_stale),
        Process: (processes.unmake, processes.make),
    }


@contextmanager
def locked() -> Iterator[None]:
    """Keep other companions off this host, and forget what a killed one had only begun.

    Raise HostError without the rights for it, or if another one is at work; Unwritable if the disk
    is full.
    """
    rights.require()
    guard("companion")
    notes.folder(Path(RUN_DIRECTORY))
    with notes.opened(Path(RUN_DIRECTORY, "lock")) as lock:
        if not locked_within(lock.fileno(), PATIENCE):
            lock.seek(0)
            other = lock.read().strip()
            raise HostError(f"another companion (process {other}) works on this host: end it first")
        with suppress(OSError):  # a full disk: then another one is not told our number
            os.ftruncate(lock.fileno(), 0)
            os.write(lock.fileno(), f"{os.getpid()}\n".encode())
        with commands.after_orphans():
            notes.tidy()
            servers.tidy()
            processes.tidy()
            namespaces.tidy()
            yield
