"""Open vSwitch's database: one connection for all that a companion reads and changes there.

All threads share it, one at a time. The next call reopens a lost connection. A server that does not
answer is an error for people.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, RLock
from typing import Any
from weakref import finalize

from dvr_ryu.companion.providers.ovsdb.library import Deadline, poller
from dvr_ryu.companion.providers.ovsdb.replica import Replica
from dvr_ryu.companion.providers.ovsdb.transaction import Transaction
from dvr_ryu.errors import HostError

SOCKET = "/run/openvswitch/db.sock"
SECONDS = 20
"""Seconds within which ovs-vswitchd must apply one transaction."""
ANSWER_SECONDS = SECONDS + 5
"""Seconds within which ovsdb-server must answer."""


def _ignore() -> None:
    pass


class Database:
    """The database at a socket."""

    def __init__(self, on_change: Callable[[], object] = _ignore, path: str = SOCKET) -> None:
        """`on_change` is called when there may be something to repair: a watched column changes, a
        row comes or goes, or a new connection is there. The thread that reads the message calls
        it.
        """
        self._path = path
        self._on_change = on_change
        self._lock = RLock()
        self._replica: Replica | None = None
        self._interrupt = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        finalize(self, os.close, self._interrupt)  # and not before: `follow` may wait for it

    def connect(self) -> None:
        """Raise HostError if Open vSwitch does not answer."""
        with self._lock:
            self._connected()

    def close(self) -> None:
        """End the connection."""
        with self._lock:
            self._disconnect()

    @contextmanager
    def current(self) -> Iterator[Replica]:
        """Yield the replica, as the database is now. It does not change while the block runs."""
        with self._lock:
            yield self._current()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Yield a transaction, which the block fills; then commit it, and wait until ovs-vswitchd
        has applied it. If the block raises, nothing changes.
        """
        with self._lock:
            replica = self._current()
            transaction = Transaction(replica)
            try:
                yield transaction
            except BaseException:
                transaction.abort()
                raise
            with self._answering():
                number = transaction.commit(Deadline(ANSWER_SECONDS))
                self._await_switch(replica, number)

    def follow(self, until: Event) -> None:
        """Read messages as they come, until the connection is lost, or the event is set and
        `interrupt` called. Raise OSError if the server does not answer, HostError if it is no use.
        """
        with self._lock:
            replica = self._opened()
        while not until.is_set():
            with self._lock:
                if self._replica is not replica:
                    return
                try:
                    replica.take_messages()
                except OSError:
                    self._disconnect()
                    return
                waiting = poller(replica.wait, self._interrupt_wait)
            waiting.block()
            self._forget_interrupt()

    def interrupt(self) -> None:
        """Let `follow` look at its event."""
        os.eventfd_write(self._interrupt, 1)

    def _interrupt_wait(self, waiting: Any) -> None:
        waiting.fd_wait(self._interrupt, select.POLLIN)

    def _forget_interrupt(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._interrupt)

    def _connected(self) -> Replica:
        try:
            return self._opened()
        except OSError as error:
            raise HostError(
                f"Open vSwitch does not answer at {self._path}; start it: "
                "systemctl start openvswitch-switch (Debian: apt install openvswitch-switch)"
            ) from error

    def _opened(self) -> Replica:
        if self._replica is None:
            self._replica = Replica(self._path, self._on_change, Deadline(ANSWER_SECONDS))
        return self._replica

    def _disconnect(self) -> None:
        """End the connection, and stop `follow` from waiting for it."""
        if self._replica is not None:
            self._replica.close()
            self._replica = None
            self.interrupt()

    def _current(self) -> Replica:
        replica = self._connected()
        with self._answering():
            Transaction(replica).read(Deadline(ANSWER_SECONDS))
        return replica

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self._disconnect()
            raise HostError(f"Open vSwitch does not answer any more: {error}") from error

    def _await_switch(self, replica: Replica, number: int) -> None:
        try:
            replica.run_until(lambda: replica.switch.cur_cfg >= number, Deadline(SECONDS))
        except TimeoutError as error:
            raise HostError(
                f"ovs-vswitchd has not done in {SECONDS} s what OVSDB says; see whether it "
                "runs: systemctl status openvswitch-switch"
            ) from error
