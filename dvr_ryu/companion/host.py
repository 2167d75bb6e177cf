"""Read this host's resources and change them. Only this module knows all providers.

One companion at a time works on a host: a lock in the run directory sees to it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import evolve

from dvr_ryu.companion.change import HostChange
from dvr_ryu.companion.desired import desired_resources, plugged
from dvr_ryu.companion.desired.bridges import adopted, beside_adopted, datapath_of, tunnels
from dvr_ryu.companion.desired.cache import ResourceCache
from dvr_ryu.companion.desired.plugged import Plugged
from dvr_ryu.companion.desired.tls import DEFAULTS, TlsOptions
from dvr_ryu.companion.foreign import FirewallRules, ForeignItem
from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers import commands, notes
from dvr_ryu.companion.providers.dnsmasq import servers
from dvr_ryu.companion.providers.dnsmasq.leases import LeaseBooks, StaleLeases
from dvr_ryu.companion.providers.dnsmasq.servers import DnsmasqLines
from dvr_ryu.companion.providers.iptables.firewall import HookedChains
from dvr_ryu.companion.providers.iptables.nat import Chains
from dvr_ryu.companion.providers.kernel import rights
from dvr_ryu.companion.providers.kernel.announce import announce, announcements
from dvr_ryu.companion.providers.kernel.sysctls import RestoredSysctls, Sysctls
from dvr_ryu.companion.providers.locks import locked_within
from dvr_ryu.companion.providers.making import make
from dvr_ryu.companion.providers.netlink import namespaces
from dvr_ryu.companion.providers.netlink.conntrack import Translations
from dvr_ryu.companion.providers.netlink.devices import Devices, VethPairs, with_loss
from dvr_ryu.companion.providers.netlink.namespaces import Namespaces
from dvr_ryu.companion.providers.netlink.routing import Routing
from dvr_ryu.companion.providers.netlink.taps import Taps
from dvr_ryu.companion.providers.netlink.visits import visits
from dvr_ryu.companion.providers.ovs_appctl.learned import learned_macs
from dvr_ryu.companion.providers.ovs_appctl.vswitchd import available_datapath
from dvr_ryu.companion.providers.ovs_ofctl import flows
from dvr_ryu.companion.providers.ovsdb.bridges import Ovsdb
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.providers.ovsdb.guest_ports import GuestPorts
from dvr_ryu.companion.providers.ovsdb.providers import (
    Bridges,
    PluggedPorts,
    Ports,
    Switch,
    TlsSettings,
)
from dvr_ryu.companion.providers.ovsdb.tls import TlsTable
from dvr_ryu.companion.providers.processes import migrations, processes
from dvr_ryu.companion.providers.processes.processes import Processes
from dvr_ryu.companion.providers.processes.renewals import Renewals
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls
from dvr_ryu.companion.resources.resource import Resource, programs_of
from dvr_ryu.ending import guard
from dvr_ryu.errors import HostError
from dvr_ryu.pki import certificates
from dvr_ryu.pki.files import of_host
from dvr_ryu.topology.bridges import BRIDGES, Plug, bridge_of
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

__all__ = ["Host", "Progress", "locked"]

PATIENCE = 1.0
"""Seconds to wait for a companion that is ending, or that was killed while it forked."""

Progress = Callable[[int, int], None]
"""Called with the number of resources that are done, and of all."""


class Providers:
    """All providers of a host."""

    def __init__(self, ovsdb: Ovsdb, tls: TlsTable, guests: GuestPorts) -> None:
        self.switch = Switch(ovsdb)
        self.tls_settings = TlsSettings(tls)
        self.chains = Chains()
        self.all: tuple[Provider, ...] = (
            Namespaces(),
            Bridges(ovsdb, self.switch),
            Ports(ovsdb, self.switch),
            PluggedPorts(guests),
            self.tls_settings,
            Processes(),
            DnsmasqLines(),
            LeaseBooks(),
            StaleLeases(),
            RestoredSysctls(),
            Translations(),
            VethPairs(),
            Taps(),
            Devices(),
            Sysctls(),
            Routing(),
            Renewals(),
            self.chains,
            HookedChains(),
        )
        self.of: dict[type[Resource], Provider] = {
            kind: provider for provider in self.all for kind in provider.kinds
        }
        """Kind → its provider."""


class Host:
    """This machine, in the part of one host of a topology."""

    def __init__(self, name: str, database: Database, options: TlsOptions = DEFAULTS) -> None:
        """Raise HostError without root, or without Open vSwitch."""
        rights.require()
        self.name = name
        self._options = options
        self._ovsdb = Ovsdb(name, database)
        self._tls = TlsTable(name, database)
        self._cache = ResourceCache()
        self._guests = GuestPorts(name, database)
        self._awaited: list[str] = []
        self._roaming: tuple[Topology | None, dict[str, str], HostView | None] = None, {}, None
        """A topology, its roaming instances as this host saw them last, and the view of both."""
        self._providers = Providers(self._ovsdb, self._tls, self._guests)

    def desired(self, view: HostView) -> tuple[Resource, ...]:
        """Return the resources of a view, of the present bridges' datapath, beside adopted ones.
        Roaming instances are here if they are plugged in and flows lead to them.
        """
        guests = self.plugged(view.topology)
        self._awaited = [each.on_bridge for each in guests if each.on_bridge and not each.led]
        view = self._as_plugged(view, guests)
        present = self._ovsdb.present(BRIDGES)
        datapath = datapath_of(present, available_datapath())
        desired = desired_resources(view, datapath, self._cache, self._options)
        if found := adopted(present):
            desired = tuple(beside_adopted(resource, found) for resource in desired)
        return (*desired, *plugged.resources(view, guests))

    def plugged(self, topology: Topology) -> list[Plugged]:
        """The ports of a topology's instances that others have plugged in on this machine."""
        if not topology.plugged:
            return []
        found = plugged.plugged(topology, self._guests.interfaces())
        return [evolve(each, led=not each.port.roams or _is_led(each)) for each in found]

    def plugged_lines(self, view: HostView) -> list[str]:
        """What there is to say about the instances that others plug in."""
        found = self.plugged(view.topology)
        here = any(each.on_bridge for each in found)
        learned = learned_macs(bridge_of(Plug.DEVICES)) if here else {}
        return [*plugged.lines(view, found, learned)]

    def _as_plugged(self, view: HostView, guests: list[Plugged]) -> HostView:
        """The view with roaming instances on this host if they are here; made once for all looks
        that see the same."""
        hosts = plugged.roaming_hosts(view.topology, self.name, guests)
        if not hosts:
            return view
        before, last, after = self._roaming
        if before is not view.topology or last != hosts or after is None:
            after = HostView(view.topology.with_roaming(hosts), self.name)
            self._roaming = view.topology, hosts, after
        return after

    @property
    def awaits(self) -> bool:
        """Whether a roaming instance is plugged in here, and no flow led to it at the last look."""
        return bool(self._awaited)

    def has_come(self) -> bool:
        """Whether flows lead to one of those by now."""
        return any(flows.use(bridge_of(Plug.DEVICES), name) for name in self._awaited)

    def tunnels(self, view: HostView, hosts: Collection[str]) -> tuple[Resource, ...]:
        """Return the tunnels to some hosts, of the resources of a view."""
        found = adopted(self._ovsdb.present(BRIDGES))
        names = {view.topology.tunnel_devices[host] for host in hosts}
        return tuple(
            beside_adopted(resource, found) for resource in tunnels(view) if resource.name in names
        )

    def is_led(self) -> bool:
        """Whether a controller is connected."""
        return self._ovsdb.is_led()

    def refusal(self) -> str | None:
        """Open vSwitch's last error with our controller, if no bridge is connected to it."""
        return self._tls.refusal()

    def put_back(self) -> None:
        """Restore the foreign flows on bridges after an attempt that failed or was killed.

        Open vSwitch may still be executing that attempt's last request, which removes all flows.
        """
        if flows.waiting():
            self._ovsdb.await_switch()
            flows.put_back()

    # Reading -----------------------------------------------------------------------------------

    def read(self, desired: Sequence[Resource]) -> list[Resource]:
        """Return the resources that hold. Of sysctls and kernel-made resources, it reads only those
        of `desired`; of resources in an instance, it reads those and the ones we have set.
        """
        look = Look(desired, self._providers.all)
        return list(with_loss(look.all(), look.once(visits).links))

    @property
    def foreign(self) -> list[ForeignItem]:
        """The foreign items that `read` saw on our bridges."""
        return [*self._providers.tls_settings.foreign, *self._providers.switch.foreign]

    @property
    def foreign_rules(self) -> tuple[FirewallRules, ...]:
        """The foreign netfilter rules that `read` saw in our namespaces."""
        return self._providers.chains.foreign

    # The change ---------------------------------------------------------------------------------

    def execute(self, change: HostChange, on_progress: Progress) -> None:
        """Make a change, and announce the addresses that are new here or have another MAC.

        Raise HostError before anything is made if a required program is missing, or if TLS would
        begin with invalid files.
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
                self._providers.of[kind].remove(resources)
                count(len(resources))

        remove(last=False)
        make(change.made, self._providers.of, count)
        remove(last=True)
        announce(announcements(change))


def _is_led(each: Plugged) -> bool:
    """Whether a flow leads to it: the controller has found the instance to be here."""
    return bool(each.on_bridge) and flows.use(bridge_of(Plug.DEVICES), each.on_bridge or "")


@contextmanager
def locked() -> Iterator[None]:
    """Lock this host against other companions, and discard a killed one's unfinished work.

    Raise HostError without the required rights or if another companion is at work; raise Unwritable
    if the disk is full.
    """
    rights.require()
    guard("companion")
    notes.folder(Path(RUN_DIRECTORY))
    with notes.opened(Path(RUN_DIRECTORY, "lock")) as lock:
        if not locked_within(lock.fileno(), PATIENCE):
            lock.seek(0)
            other = lock.read().strip()
            raise HostError(f"another companion (process {other}) works on this host: end it first")
        with suppress(OSError):  # a full disk: then another companion cannot name our process
            os.ftruncate(lock.fileno(), 0)
            os.write(lock.fileno(), f"{os.getpid()}\n".encode())
        with commands.after_orphans():
            notes.tidy()
            servers.tidy()
            processes.tidy()
            migrations.tidy()
            namespaces.tidy()
            yield
