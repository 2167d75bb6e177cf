"""Apply the topology in force to this machine, and remember the resources made.

It makes an edit at once from the remembered resources; the next time it reads the host, as
always.
"""

from __future__ import annotations

from contextlib import suppress

from dvr_ryu.companion.agent import amend, reconcile
from dvr_ryu.companion.change import HostChange
from dvr_ryu.companion.desired.tls import TlsOptions
from dvr_ryu.companion.host import Host
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.upkeep.arrivals import amend_for_arrivals
from dvr_ryu.companion.upkeep.desired_topology import DesiredTopology
from dvr_ryu.companion.upkeep.leaving import Leaving
from dvr_ryu.companion.upkeep.observer import Round
from dvr_ryu.errors import DvrError
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView


class HostSync:
    """One host, and its known resources."""

    def __init__(self, name: str, database: Database, options: TlsOptions) -> None:
        self._name = name
        self._database = database
        self._options = options
        self.host: Host | None = None
        """The machine, as long as it refuses nothing."""
        self._known: tuple[Resource, ...] | None = None
        """The resources that are known to hold on the host; None if unknown."""
        self.unread = False
        """Whether an edit was made, and the host not read since."""

    @property
    def holding(self) -> tuple[Resource, ...]:
        """The resources that are known to hold on the host."""
        return self._known or ()

    def resources(
        self, host: Host, topology: Topology, leaving: Leaving | None
    ) -> tuple[Resource, ...]:
        """The desired resources of the host: none, once the topology lacks it."""
        if self._name not in topology.hosts:
            return ()
        retained = leaving.resources(host) if leaving else ()
        return (*host.desired(HostView(topology, self._name)), *retained)

    def make(self, desired: DesiredTopology, topology: Topology) -> tuple[Host, HostChange]:
        """Apply the `topology` in force; return the host and the change.

        Raise DvrError or OSError if the host refuses; then the next call reopens the host.
        """
        try:
            if self.host is None:
                self.host = Host(self._name, self._database, self._options)
            host = self.host
            return host, self._make(host, desired, topology)
        except (DvrError, OSError):
            self.host = None  # the known resources may be wrong
            raise

    def _make(self, host: Host, desired: DesiredTopology, topology: Topology) -> HostChange:
        wanted = self.resources(host, topology, desired.leaving)
        arriving = desired.take_arriving()
        known, self._known, self.unread = self._known, None, False
        if desired.edited and (known is not None or arriving):
            with suppress(DvrError):  # the known resources do not hold any more: read the host
                known = known if known is not None else tuple(host.read(wanted))
                if arriving:
                    view = HostView(topology, self._name)
                    done = amend_for_arrivals(host, view, wanted, known, arriving)
                else:
                    done = amend(host, wanted, known)
                self._known, self.unread = wanted, True
                return done
        done = reconcile(host, wanted)
        self._known = wanted
        return done

    def round(self, state: str, seconds: float) -> Round:
        """The round that has ended, with what it found on the host."""
        host = self.host
        return Round(
            state,
            seconds,
            self.holding,
            host.foreign if host else (),
            host.foreign_rules if host else (),
            self.is_led(),
        )

    @property
    def awaits(self) -> bool:
        """Whether a roaming instance is plugged in here, and is still on another host."""
        return self.host is not None and self.host.awaits

    def has_come(self) -> bool:
        """Whether one of those is on this host by now."""
        with suppress(DvrError, OSError):
            return self.host is not None and self.host.has_come()
        return False

    def is_led(self) -> bool:
        """Whether a controller is connected; False if Open vSwitch does not answer."""
        with suppress(DvrError, OSError):
            return self.host is not None and self.host.is_led()
        return False
