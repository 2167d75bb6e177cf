"""Notices at once that somebody changed bridges or ports, or that Open vSwitch is back.

Open vSwitch that was killed makes its devices anew when it returns, and says so in OVSDB. What is
to be done about it is the caller's affair.
"""

from __future__ import annotations

from collections.abc import Callable
from threading import Event, Thread

from dvr_ryu.companion.providers.ovsdb.bridges import SOCKET, SWITCH
from dvr_ryu.companion.providers.ovsdb.rows import (
    BRIDGE_COLUMNS,
    CONTROLLER_COLUMNS,
    INTERFACE_COLUMNS,
    PORT_COLUMNS,
    TLS_COLUMNS,
)
from dvr_ryu.companion.providers.ovsdb.rpc import Session
from dvr_ryu.errors import is_exhaustion

COLUMNS = {
    "Bridge": BRIDGE_COLUMNS,
    "Controller": CONTROLLER_COLUMNS,
    "Open_vSwitch": ("ssl",),
    "Port": PORT_COLUMNS,
    "SSL": TLS_COLUMNS,
    "Interface": (*INTERFACE_COLUMNS, "ifindex"),
}
"""What `Ovsdb.read` reads, and by which device an interface is there: a new one has a new number.
"""
PAUSE = 0.2
"""Seconds between two attempts to reach an OVSDB that is away."""


class OvsdbWatch(Thread):
    """Calls `changed`, in a thread of its own, whenever there may be something to mend."""

    def __init__(self, changed: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self._changed = changed
        self._ended = Event()

    def end(self) -> None:
        """Watch no longer."""
        self._ended.set()

    def run(self) -> None:
        """Watch, connect anew when the connection is lost, and tell of both."""
        while not self._ended.wait(PAUSE):
            try:
                self._watch()
            except OSError as error:
                if is_exhaustion(error):
                    raise

    def _watch(self) -> None:
        session = Session(SOCKET, SWITCH, None)
        try:
            for _ in session.watch(COLUMNS):
                self._changed()
        finally:
            session.close()
            self._changed()
