"""Notices at once that somebody changed bridges or ports, or that Open vSwitch is back.

Open vSwitch that was killed makes its devices anew when it returns, and OVSDB tells of it. What to
do about it, the caller decides.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.errors import HostError, is_exhaustion

PAUSE = 0.2
"""Seconds between two attempts to reach an OVSDB that is away."""


class OvsdbWatch(Thread):
    """Reads the messages of a database, in a thread of its own, and connects anew when it must."""

    def __init__(self, database: Database, changed: Callable[[], object]) -> None:
        """`changed` is called when a connection is lost; of all else the database tells."""
        super().__init__(daemon=True)
        self._database = database
        self._changed = changed
        self._ended = Event()

    def end(self) -> None:
        """Watch no longer."""
        self._ended.set()
        self._database.interrupt()

    def run(self) -> None:
        """Watch until the end."""
        while not self._ended.wait(PAUSE):
            try:
                self._database.follow(self._ended)
            except HostError:
                continue  # the next look at the host tells of it
            except OSError as error:
                if is_exhaustion(error):
                    raise
            else:
                self._changed()
