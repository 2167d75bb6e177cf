"""The companion that stays: applies the topology, again when the file changes, and keeps it so.

It knows what it made. So an edit is made at once; then it looks at the host, as it does every few
seconds and whenever OVSDB changes, and makes again what others have undone. A file with mistakes is
reported and changes nothing. In a file without this host nothing is wanted here any more. Ending it
removes nothing: the host goes on as it is.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from dvr_ryu.companion import foreign
from dvr_ryu.companion.agent import amend, reconcile
from dvr_ryu.companion.change import HostChange
from dvr_ryu.companion.check.underlay import shortage
from dvr_ryu.companion.desired.tls import DEFAULTS, TlsOptions
from dvr_ryu.companion.host import Host, locked
from dvr_ryu.companion.memory import remember, remembered
from dvr_ryu.companion.migration import Leaving, amend_for_arrivals, topology_in_force
from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.dnsmasq import leases
from dvr_ryu.companion.providers.kernel.announce import (
    AnnouncedAddress,
    announce,
    announceable,
    announcements,
    cards,
)
from dvr_ryu.companion.providers.notes import Unwritable
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.providers.ovsdb.watch import OvsdbWatch
from dvr_ryu.companion.providers.processes import renewals
from dvr_ryu.companion.reporting import Reporter, log, write_state
from dvr_ryu.companion.resources.dhcp.renewal import Renewal
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.signals import on_signals
from dvr_ryu.companion.tls_watch import TlsWatch
from dvr_ryu.ending import end
from dvr_ryu.errors import DvrError, HostError, is_exhaustion, one_line
from dvr_ryu.source import Snapshot, Source
from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.placement import arriving
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

CHECK_SECONDS = 2.5
"""Between looks at the host: with the look, and the mending, what was undone returns within 3."""
LEAVING_SECONDS = 0.1
"""How soon it is noticed that an instance may leave."""
QUIET_SECONDS = 0.1
"""How long a file must be left alone before it is read: editors write in several steps."""
REPEATS = 2
"""How often an address is announced again, CHECK_SECONDS apart: the first may come before the
flows."""


def run(source: Source, name: str, options: TlsOptions = DEFAULTS) -> None:
    """Be the companion of host `name` of the topology in `source` until SIGTERM or SIGINT.

    Raise HostError if another companion works on this host.
    """
    companion = Companion(source, name, options)
    try:
        on_signals(companion.end)
        with ExitStack() as lock:
            if companion.begin(lock):
                companion.run()
    except DvrError:
        raise
    except Exception as error:
        end("companion", error)


class Companion:
    """One host's companion: its file, what of it holds, and what is to be done next."""

    def __init__(self, source: Source, name: str, options: TlsOptions = DEFAULTS) -> None:
        self._source = source
        self._name = name
        self._options = options
        self._tls_watch = TlsWatch(name, options)
        self._wake = threading.Event()
        self._database = Database(self._wake.set)
        self._ending = False
        self._host: Host | None = None
        self._declaration: Declaration | None = None
        self._remembered: Declaration | None = None
        self._topology: Topology | None = None
        """What is in force here: what is declared, with the instances that are leaving."""
        self._leaving: Leaving | None = None
        self._arriving: set[str] = set()
        self._version = ""
        """The source's version of what is declared."""
        self._loaded: tuple[str, Declaration] | None = None
        """What was read last, and its version: it may have to wait."""
        self._reading_seconds = 0.0
        self._edited = False
        """Whether there is a topology that has not been made yet."""
        self._known: tuple[Resource, ...] | None = None
        """What holds on the host, as far as we know; None if we do not."""
        self._unseen = False
        """Whether an edit was made, and the host not looked at since."""
        self._reporter = Reporter()
        self._announcing: list[tuple[float, list[AnnouncedAddress]]] = []
        """When to announce again, and what."""
        self._introduced = False
        """Whether all that is here has been announced once."""
        self._asking: list[tuple[float, list[Renewal]]] = []
        """When to let clients ask again: a server on another host may have read the file later."""

    def begin(self, lock: ExitStack) -> bool:
        """Lock the host, as soon as it can be written there; return False if `end` was called."""
        while not self._ending:
            try:
                lock.enter_context(locked())
            except Unwritable as error:
                self._reporter.complain([error])
                self._wake.wait(CHECK_SECONDS)
            else:
                return True
        return False

    def run(self) -> None:
        """Work until `end` is called."""
        watch = OvsdbWatch(self._database, self._wake.set)
        watch.start()
        try:
            if why := self._source.watch(self._wake.set):
                name = self._source.name
                log(f"{name} is read every {CHECK_SECONDS:g} s: cannot watch it: {why}")
            while not self._ending:
                self._wake.clear()
                self._round()
                if not self._unseen:
                    gc.collect()  # now, and not while an edit is made
                if self._wait():
                    self._settle()
        finally:
            self._source.end()
            watch.end()
            self._database.close()
            with suppress(Unwritable):
                write_state("ended", 0, self._version)

    def end(self) -> None:
        """Finish what is being done, and end."""
        self._ending = True
        self._wake.set()

    def _wait(self) -> bool:
        """Wait until there may be something to do; return whether somebody says so."""
        due = time.monotonic() + (0 if self._unseen else CHECK_SECONDS)
        while self._leaving and time.monotonic() < due:
            if self._has_left():
                return False
            if self._wake.wait(LEAVING_SECONDS):
                return True
        return self._wake.wait(max(0.0, due - time.monotonic()))

    def _has_left(self) -> bool:
        """Whether what is leaving need not be kept any more, as `_let_leave` would find."""
        with suppress(DvrError, OSError):
            if self._leaving and self._host:
                return self._leaving.still_here(self._is_led) != self._leaving
        return False

    def _settle(self) -> None:
        """Wait until the file and OVSDB are left alone, but not for ever."""
        deadline = time.monotonic() + CHECK_SECONDS
        while self._wake.is_set() and not self._ending and time.monotonic() < deadline:
            self._wake.clear()
            self._wake.wait(QUIET_SECONDS)

    def _round(self) -> None:
        errors: list[Exception] = []
        changes = 0
        for step in (self._read_source, self._let_leave, self._reconcile):
            with _noted(errors):
                changes = step()
        state = "failed" if errors else "moving" if self._leaving else "applied"
        if state == "applied":
            with _noted(errors):
                self._remember()
        with _noted(errors):
            words = "\n".join(map(one_line, errors))
            write_state(state, changes, self._version, words)
        self._reporter.complain(errors)
        for line in notes.news():
            log(line)

    def _remember(self) -> None:
        if self._declaration and self._declaration is not self._remembered:
            remember(self._declaration)
            self._remembered = self._declaration

    def _read_source(self) -> int:
        """Read the topology if it has changed. While it is bad, the last good one is in force."""
        snapshot = self._source.read()
        if snapshot.version != self._version:
            earlier = self._declaration or remembered(snapshot.version)
            before = self._topology or (earlier and earlier.topology)
            try:
                declaration = self._load(snapshot, earlier)
                topology = declaration.topology
                if before and topology.underlay.mtu > before.underlay.mtu:
                    self._require_mtu(topology)
            except DvrError:
                self._stay_with(earlier)
                raise
            if before:
                self._arriving = arriving(self._name, before, topology)
                self._leaving = Leaving.of(self._name, before, declaration)
            self._declaration, self._version, self._edited = declaration, snapshot.version, True
            self._topology = topology_in_force(declaration, self._name, self._leaving)
            if self._leaving:
                log(f"{self._name} keeps {self._leaving}")
                if self._host:
                    self._announce_only(self._should(self._host, topology))
            if self._name not in topology.hosts:
                name = self._source.name
                log(f"{name} has no host {self._name} any more: what was made here goes")
        return 0

    def _load(self, snapshot: Snapshot, earlier: Declaration | None) -> Declaration:
        """What a snapshot declares; each version is read once."""
        if self._loaded is None or self._loaded[0] != snapshot.version:
            began = time.monotonic()
            self._loaded = snapshot.version, snapshot.declaration(earlier)
            self._reading_seconds = time.monotonic() - began
        return self._loaded[1]

    def _require_mtu(self, topology: Topology) -> None:
        """Refuse a larger MTU than this host can carry."""
        if lack := shortage(topology, self._name, self._database):
            raise HostError(f"{self._name}: {lack}; until then the file is not applied")

    def _stay_with(self, earlier: Declaration | None) -> None:
        """Go on with what a companion before this one applied last, if the file is refused."""
        if self._declaration is None and earlier is not None:
            self._declaration, self._topology, self._edited = earlier, earlier.topology, True

    def _let_leave(self) -> int:
        """Keep no longer what has arrived elsewhere."""
        if self._leaving and self._declaration and self._host:
            stay = self._leaving.still_here(self._is_led)
            if stay != self._leaving:
                if stay is None:
                    self._leaving.silence()
                self._edited = True
                self._topology = topology_in_force(self._declaration, self._name, stay)
            self._leaving = stay
        return 0

    def _is_led(self) -> bool:
        """Whether a controller is there, as far as can be told."""
        with suppress(DvrError, OSError):
            return self._host is not None and self._host.is_led()
        return False

    def _reconcile(self) -> int:
        """Make the host what the last good topology says; return how many resources changed."""
        if self._topology is None:
            return 0
        began = time.monotonic()
        try:
            if self._host is None:
                self._host = Host(self._name, self._database, self._options)
            done = self._make(self._host, self._topology)
        except (DvrError, OSError):
            self._host = None  # what it knows may be wrong
            raise
        if done or self._edited:
            words = f"{done.summary()} in {_milliseconds(time.monotonic() - began)}"
            if self._edited:
                words += f"; the file was read in {_milliseconds(self._reading_seconds)}"
            log(f"{self._name}: {words}")
            self._edited = False
        self._announce(done)
        if self._declaration:
            self._introduce(self._host, self._declaration.topology)
        self._ask_again(done)
        leases.forgive_declines()
        self._tell(self._host, self._topology)
        return len(done)

    def _should(self, host: Host, topology: Topology) -> tuple[Resource, ...]:
        """What should hold here: nothing, once the topology has no such host."""
        if self._name not in topology.hosts:
            return ()
        kept = self._leaving.resources(host) if self._leaving else ()
        return (*host.should(HostView(topology, self._name)), *kept)

    def _make(self, host: Host, topology: Topology) -> HostChange:
        should = self._should(host, topology)
        known, self._known, self._unseen = self._known, None, False
        names, self._arriving = self._arriving, set()
        if self._edited and (known is not None or names):
            with suppress(DvrError):  # what we knew is no longer so: look
                known = known if known is not None else tuple(host.read(should))
                if names:
                    view = HostView(topology, self._name)
                    done = amend_for_arrivals(host, view, should, known, names)
                else:
                    done = amend(host, should, known)
                self._known, self._unseen = should, True
                return done
        done = reconcile(host, should)
        self._known = should
        return done

    def _announce(self, done: HostChange) -> None:
        self._announce_only(self._known or ())
        now = time.monotonic()
        for due, places in self._announcing:
            if due <= now:
                announce(places)
        self._announcing = [each for each in self._announcing if each[0] > now]
        self._announce_again(announcements(done))

    def _announce_again(self, places: list[AnnouncedAddress]) -> None:
        if places:
            now = time.monotonic()
            self._announcing += [(now + CHECK_SECONDS * (1 + n), places) for n in range(REPEATS)]

    def _introduce(self, host: Host, declared: Topology) -> None:
        """Announce once all that others should know to be here; not what is only kept until it has
        arrived elsewhere.

        Who worked here before us may have ended between making an address and announcing it.
        """
        if not self._introduced:
            ours = set(announceable(self._should(host, declared)))
            places = [place for place in announceable(self._known or ()) if place in ours]
            announce(places)
            self._announce_again(places)
            self._introduced = True

    def _ask_again(self, done: HostChange) -> None:
        now = time.monotonic()
        for due, asking in self._asking:
            if due <= now:
                renewals.make([each for each in asking if each in (self._known or ())])
        self._asking = [each for each in self._asking if each[0] > now]
        told = [each.new for each in done.changed if isinstance(each.new, Renewal)]
        if told:
            self._asking += [(now + CHECK_SECONDS * (1 + n), told) for n in range(REPEATS)]

    def _tell(self, host: Host, topology: Topology) -> None:
        """Say what is on our bridges and not ours, and what is wrong with TLS and the underlay:
        each thing once, as long as it is so.
        """
        lines = [*foreign.lines(host.strangers, topology, self._name)]
        lines += foreign.lines_of_rules(host.foreign_rules)
        if self._name in topology.hosts:
            lines += self._tls_watch.lines(HostView(topology, self._name), host)
        if not self._unseen and (lack := shortage(topology, self._name, self._database)):
            lines.append(f"{lack}; until then large packets are lost")
        self._reporter.tell(f"{self._name}: {line}" for line in lines)

    def _announce_only(self, should: tuple[Resource, ...]) -> None:
        """Announce no longer what another host has, or nobody."""
        if not self._announcing:
            return
        ours = {*announceable(should), *cards(should)}
        self._announcing = [
            (due, [place for place in places if place in ours]) for due, places in self._announcing
        ]


@contextmanager
def _noted(errors: list[Exception]) -> Iterator[None]:
    """Note an error that may be over when the same is tried again."""
    try:
        yield
    except (DvrError, OSError) as error:
        if is_exhaustion(error):
            raise
        errors.append(error)


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
