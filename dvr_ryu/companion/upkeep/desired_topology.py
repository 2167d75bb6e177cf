"""Select the topology that this host follows: the source's last good one, with the instances that
are leaving this host until they have left.

It reads the source, and checks for departures; it changes nothing on the host.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from dvr_ryu.companion.upkeep.leaving import Leaving
from dvr_ryu.companion.upkeep.memory import remember, remembered
from dvr_ryu.companion.upkeep.reporting import log
from dvr_ryu.errors import DvrError, HostError
from dvr_ryu.source import Snapshot, Source
from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.placement import AS_DECLARED, arriving, in_force
from dvr_ryu.topology.topology import Topology


class DesiredTopology:
    """The topology that is declared for a host, and the one in force there."""

    def __init__(
        self, source: Source, host: str, shortage: Callable[[Topology], str | None]
    ) -> None:
        """`shortage` returns the obstacle to packets of a topology's MTU on this host, if any."""
        self._source = source
        self._host = host
        self._shortage = shortage
        self.declaration: Declaration | None = None
        self.in_force: Topology | None = None
        """The declared topology, with the instances that are leaving."""
        self.leaving: Leaving | None = None
        self.version = ""
        """The source's version of the declaration."""
        self.edited = False
        """Whether the topology in force has not been applied yet."""
        self.reading_seconds = 0.0
        self._arriving: set[str] = set()
        self._loaded: tuple[str, Declaration] | None = None
        """The declaration read last, and its version: it may have to wait."""
        self._remembered: Declaration | None = None

    def read(self) -> bool:
        """Read the source; return whether the declaration has changed. A bad state of it changes
        nothing, and raises DvrError each time.
        """
        snapshot = self._source.read()
        if snapshot.version == self.version:
            return False
        earlier = self.declaration or remembered(snapshot.version)
        before = self.in_force or (earlier and earlier.topology)
        try:
            declaration = self._load(snapshot, earlier)
            if before and declaration.topology.underlay.mtu > before.underlay.mtu:
                self._require_mtu(declaration.topology)
        except DvrError:
            self._go_on_with(earlier)
            raise
        if before:
            self._arriving = arriving(self._host, before, declaration.topology)
            self.leaving = Leaving.of(self._host, before, declaration)
        self.declaration, self.version = declaration, snapshot.version
        self._enforce(declaration)
        if self.leaving:
            log(f"{self._host} keeps {self.leaving}")
        if self._host not in declaration.topology.hosts:
            name = self._source.name
            log(f"{name} has no host {self._host} any more: what was made here goes")
        return True

    def _enforce(self, declaration: Declaration) -> None:
        placement = self.leaving.retained.placement(self._host) if self.leaving else AS_DECLARED
        self.in_force, _ = in_force(declaration, placement)
        self.edited = True

    def _load(self, snapshot: Snapshot, earlier: Declaration | None) -> Declaration:
        """The declaration of a snapshot; each version is read once."""
        if self._loaded is None or self._loaded[0] != snapshot.version:
            began = time.monotonic()
            self._loaded = snapshot.version, snapshot.declaration(earlier)
            self.reading_seconds = time.monotonic() - began
        return self._loaded[1]

    def _require_mtu(self, topology: Topology) -> None:
        """Refuse a larger MTU than this host can carry."""
        if lack := self._shortage(topology):
            raise HostError(f"{self._host}: {lack}; until then the file is not applied")

    def _go_on_with(self, earlier: Declaration | None) -> None:
        """Follow the topology that an earlier companion applied last, if the first state is
        refused."""
        if self.declaration is None and earlier is not None:
            self.declaration, self.in_force, self.edited = earlier, earlier.topology, True

    def take_arriving(self) -> set[str]:
        """The instances that the last edit brings to this host; the next call returns none."""
        names, self._arriving = self._arriving, set()
        return names

    def has_left(self, is_led: Callable[[], bool]) -> bool:
        """Whether `let_leave` would find a departure."""
        return self.leaving is not None and self.leaving.still_here(is_led) != self.leaving

    def let_leave(self, is_led: Callable[[], bool]) -> None:
        """Release instances that have arrived elsewhere; `is_led` returns whether a controller is
        connected.
        """
        if self.leaving and self.declaration:
            still = self.leaving.still_here(is_led)
            if still is None:
                self.leaving.silence()
            has_left, self.leaving = still != self.leaving, still
            if has_left:
                self._enforce(self.declaration)

    def remember(self) -> None:
        """Note that the whole declaration holds. Raise Unwritable."""
        if self.declaration and self.declaration is not self._remembered:
            remember(self.declaration)
            self._remembered = self.declaration
