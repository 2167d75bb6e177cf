"""Notices at once a change of bridges or ports, or the return of Open vSwitch.

A killed Open vSwitch makes its devices anew when it returns, and OVSDB reports that. The caller
decides how to react.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.errors import HostError, is_exhaustion

PAUSE = 0.2
"""Seconds between two attempts to reach an OVSDB that is away."""


class OvsdbWatch(Thread):
    """Reads the messages of a database in its own thread, and reconnects when necessary."""

    def __init__(self, database: Database, changed: Callable[[], object]) -> None:
        """The watch calls `changed` when a connection is lost; the database reports all other
        events."""
        super().__init__(daemon=True)
        self._database = database
        self._changed = changed
        self._ended = Event()

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()
        self._database.interrupt()

    def run(self) -> None:
        """Watch until the end."""
        while not self._ended.wait(PAUSE):
            try:
                self._database.follow(self._ended)
            except HostError:
                continue  # the next look at the host reports it
            except OSError as error:
                if is_exhaustion(error):
                    raise
            else:
                self._changed()
