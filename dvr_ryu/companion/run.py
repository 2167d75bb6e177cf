"""Run the resident companion's loop: apply the topology, again after each edit, and repair the
host.

The companion knows the resources it made, so it makes an edit at once. Then it reads the host, as
it does every few seconds and whenever OVSDB changes, and repairs foreign changes. It reports a
source with mistakes and changes nothing. If the topology lacks this host, it removes all that it
made here. Ending the companion removes nothing.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from dvr_ryu.companion.change import HostChange
from dvr_ryu.companion.check.underlay import shortage
from dvr_ryu.companion.desired.tls import DEFAULTS, TlsOptions
from dvr_ryu.companion.host import locked
from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.dnsmasq import leases
from dvr_ryu.companion.providers.notes import Unwritable
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.providers.ovsdb.watch import OvsdbWatch
from dvr_ryu.companion.upkeep.announcer import Announcer
from dvr_ryu.companion.upkeep.desired_topology import DesiredTopology
from dvr_ryu.companion.upkeep.host_sync import HostSync
from dvr_ryu.companion.upkeep.notices import Notices
from dvr_ryu.companion.upkeep.observer import Observer, Silent
from dvr_ryu.companion.upkeep.renewal_repeater import RenewalRepeater
from dvr_ryu.companion.upkeep.reporting import Reporter, StateFile, log
from dvr_ryu.companion.upkeep.signals import on_signals
from dvr_ryu.ending import end
from dvr_ryu.errors import DvrError, is_exhaustion, one_line
from dvr_ryu.source import Source
from dvr_ryu.topology.topology import Topology

CHECK_SECONDS = 2.5
"""Seconds between two looks at the host. With the look and the repair, 3 seconds pass at most."""
LEAVING_SECONDS = 0.1
"""Seconds between two looks whether an instance has left, or has come."""
QUIET_SECONDS = 0.1
"""Seconds without a change before a file is read: editors write in several steps."""


def run(
    source: Source, name: str, options: TlsOptions = DEFAULTS, observer: Observer | None = None
) -> None:
    """Run the companion of host `name` of the topology in `source` until SIGTERM or SIGINT; the
    `observer` gets reports of its work.

    Raise HostError if another companion works on this host.
    """
    companion = Companion(source, name, options, observer)
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
    """One host's companion: rounds of reading, making and reporting, until it is to end."""

    def __init__(
        self,
        source: Source,
        name: str,
        options: TlsOptions = DEFAULTS,
        observer: Observer | None = None,
    ) -> None:
        self._source = source
        self._observer = observer or Silent()
        self._name = name
        self._wake = threading.Event()
        self._database = Database(self._wake.set)
        self._ending = False
        self._desired = DesiredTopology(source, name, self._shortage)
        self._sync = HostSync(name, self._database, options)
        self._announcer = Announcer(CHECK_SECONDS)
        self._renewals = RenewalRepeater(CHECK_SECONDS)
        self._notices = Notices(name, options, self._shortage)
        self._reporter = Reporter()
        self._state_file = StateFile(name)

    def _shortage(self, topology: Topology) -> str | None:
        return shortage(topology, self._name, self._database)

    def begin(self, lock: ExitStack) -> bool:
        """Lock the host as soon as its files can be written; return False if `end` was called."""
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
                if not self._sync.unread:
                    gc.collect()  # now, and not while an edit is made
                if self._wait():
                    self._settle()
        finally:
            self._source.end()
            watch.end()
            self._database.close()
            with suppress(Unwritable):
                self._state_file.write("ended", 0, self._desired.version)

    def end(self) -> None:
        """End after the current round."""
        self._ending = True
        self._wake.set()

    def _wait(self) -> bool:
        """Wait until there may be work; return whether an event woke the companion."""
        due = time.monotonic() + (0 if self._sync.unread else CHECK_SECONDS)
        while (self._desired.leaving or self._sync.awaits) and time.monotonic() < due:
            if self._desired.leaving:
                self._desired.leaving.send_machines()
            if self._has_left() or self._sync.has_come():
                return False
            if self._wake.wait(LEAVING_SECONDS):
                return True
        return self._wake.wait(max(0.0, due - time.monotonic()))

    def _has_left(self) -> bool:
        """Whether `_let_leave` would find something that need not be retained any more."""
        with suppress(DvrError, OSError):
            return self._sync.host is not None and self._desired.has_left(self._sync.is_led)
        return False

    def _settle(self) -> None:
        """Wait until the source and OVSDB are quiet, but not for ever."""
        deadline = time.monotonic() + CHECK_SECONDS
        while self._wake.is_set() and not self._ending and time.monotonic() < deadline:
            self._wake.clear()
            self._wake.wait(QUIET_SECONDS)

    def _round(self) -> None:
        began = time.monotonic()
        errors: list[Exception] = []
        changes = 0
        for step in (self._read, self._let_leave):
            with _noted(errors):
                step()
        with _noted(errors):
            changes = self._make()
        state = "failed" if errors else "moving" if self._desired.leaving else "applied"
        if state == "applied":
            with _noted(errors):
                self._desired.remember()
        with _noted(errors):
            lines = "\n".join(map(one_line, errors))
            self._state_file.write(state, changes, self._desired.version, lines)
        self._reporter.complain(errors)
        for line in notes.news():
            log(line)
        self._observer.ended(self._sync.round(state, time.monotonic() - began))

    def _read(self) -> None:
        """Read the topology. Addresses that leave by an edit are not announced again."""
        host, desired = self._sync.host, self._desired
        try:
            changed = desired.read()
        except (DvrError, OSError) as error:
            self._observer.refused(error)
            raise
        if changed:
            self._observer.read(desired.reading_seconds)
        if changed and desired.leaving and desired.declaration and host:
            declared = desired.declaration.topology
            self._announcer.limit(self._sync.resources(host, declared, desired.leaving))

    def _let_leave(self) -> None:
        if self._sync.host:
            self._desired.let_leave(self._sync.is_led)

    def _make(self) -> int:
        """Apply the topology in force to the host; return the number of changed resources."""
        desired, topology = self._desired, self._desired.in_force
        if topology is None:
            return 0
        began = time.monotonic()
        edited = desired.edited or self._sync.unread
        host, done = self._sync.make(desired, topology)
        seconds = time.monotonic() - began
        self._log(done, seconds)
        if done:
            self._observer.applied(done, seconds, edited)
        desired.edited = False
        self._announcer.follow(done, self._sync.holding)
        if desired.declaration and not self._announcer.introduced:
            declared = self._sync.resources(host, desired.declaration.topology, desired.leaving)
            self._announcer.introduce(self._sync.holding, declared)
        self._renewals.follow(done, self._sync.holding)
        leases.forgive_declines()
        self._reporter.notice(self._notices.lines(host, topology, self._sync.unread))
        return len(done)

    def _log(self, done: HostChange, seconds: float) -> None:
        """Log a change; log an edit even if it changed nothing."""
        if done or self._desired.edited:
            line = f"{self._name}: {done.summary()} in {_milliseconds(seconds)}"
            if self._desired.edited:
                reading = _milliseconds(self._desired.reading_seconds)
                line += f"; the file was read in {reading}"
            log(line)


@contextmanager
def _noted(errors: list[Exception]) -> Iterator[None]:
    """Note an error that a retry may not meet."""
    try:
        yield
    except (DvrError, OSError) as error:
        if is_exhaustion(error):
            raise
        errors.append(error)


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:.0f} ms"
