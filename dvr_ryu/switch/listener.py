"""Accepts the connections of switches, watches over them, and never stops listening.

It replaces Ryu's OpenFlowController, whose accept() ends for good at the first failure. Only
`stand_before_ryu` makes Ryu use it.
"""

from __future__ import annotations

import logging
import os
import resource
import socket
import time
from collections.abc import Callable
from typing import Any

from ryu.controller import ofp_handler
from ryu.controller.handler import DEAD_DISPATCHER
from ryu.lib import hub

from dvr_ryu.errors import DvrError
from dvr_ryu.listening import GONE, NO_ROOM, listening
from dvr_ryu.switch.connection import Connection, Secure, in_the_clear, mistake
from dvr_ryu.switch.guard.admission import Admission
from dvr_ryu.switch.guard.identity import peer_of
from dvr_ryu.switch.lasting import lasting
from dvr_ryu.switch.peer_log import log_counts, log_peer

LOG = logging.getLogger("dvr_ryu")
ACCEPTED = logging.getLogger("dvr_ryu.accepted")
"""Logs each accepted connection at level DEBUG."""

LOOK = 1.0
"""Seconds between two looks at the connections."""
LATE = 5.0
"""If so many seconds pass between two looks, this process stood still."""
PAUSE = 0.2
"""Seconds until the next accept() after the system had no room for a connection."""
BACKLOG = 1024
MOST_UNKNOWN = 1024
"""The most connections of unknown bridges, if there are descriptors for them."""
OF_ANY_ADDRESS = 64
"""The most such connections from one address, beside those of the bridges expected there."""
RESERVED = 16
"""Descriptors for all other uses than connections."""


class Listener:
    """Listens at an address once it is made; a call accepts. Raises DvrError if it cannot."""

    def __init__(
        self,
        address: str,
        port: int,
        expected: Callable[[str], int],
        secure: Secure = in_the_clear,
    ) -> None:
        """`expected`: address → how many bridges may connect from it. `secure` makes TLS."""
        self._expected = expected
        self._secure = secure
        self._connections: set[Connection] = set()
        self._unknown: Admission[Connection] = Admission(lambda each: each.progress)
        self._socket = _listening(address, port)
        self._room = _descriptors() - RESERVED

    def __call__(self) -> None:
        """Accept for ever. If that fails, the process ends and is started again."""
        hub.spawn(lasting("look after connections", self._look_after))
        lasting("listen", self._accept)()

    def _accept(self) -> None:
        while True:
            try:
                sock, address = self._socket.accept()
            except OSError as error:
                if error.errno in NO_ROOM:
                    self._make_room(error)
                elif error.errno not in GONE:
                    raise
                continue
            hub.spawn(self._serve, sock, address)
            hub.sleep(0)  # the open connections get their turn in a flood of new ones

    def _make_room(self, error: OSError) -> None:
        log_peer(logging.ERROR, f"no room for another connection: {error.strerror}")
        if least := self._unknown.least():
            least.end("gives way: the controller has no room for more connections")
        hub.sleep(PAUSE)

    def _serve(self, sock: Any, address: Any) -> None:
        try:
            connection = Connection(sock, address, self._secure)
        except Exception as error:
            sock.close()
            if not isinstance(error, OSError):  # an OSError: the peer is gone already
                log_peer(logging.ERROR, f"{peer_of(address)}: {mistake(error)}", peer_of(address))
            return
        ACCEPTED.debug("accepted %s", connection.peer)
        self._connections.add(connection)
        self.knows(connection, False)
        try:
            connection.serve()
        finally:
            self._connections.discard(connection)
            self._unknown.leave(connection, connection.peer.address)

    def knows(self, connection: Connection, known: bool) -> None:
        """Note whether a connection is that of a bridge of the topology."""
        address = connection.peer.address
        connection.know(known)
        if known or connection.state == DEAD_DISPATCHER:
            self._unknown.leave(connection, address)
            return
        known_ones = len(self._connections) - len(self._unknown)
        most = min(MOST_UNKNOWN, max(1, (self._room - known_ones) // 2))
        of_address = OF_ANY_ADDRESS + 2 * self._expected(address)
        if too_much := self._unknown.enter(connection, address, of_address, most):
            too_much.end("gives way: too many connections that have not said what they are")

    def end_unsecured(self) -> None:
        """End the connections without a certificate."""
        for connection in list(self._connections):
            if connection.peer.hosts is None:
                reason = "came without TLS, and the file says ssl: now; the connection is closed"
                connection.end(reason, logging.INFO)

    def _look_after(self) -> None:
        while True:
            began = time.monotonic()
            hub.sleep(LOOK)
            now = time.monotonic()
            # If this process stood still, it first reads the messages that arrived meanwhile.
            for connection in list(self._connections if now - began < LATE else ()):
                connection.look(now)
            log_counts()


def stand_before_ryu(listener: Listener) -> None:
    """Let Ryu's OpenFlow service start this listener instead of its own."""
    ofp_handler.OpenFlowController = lambda: listener


def _listening(address: str, port: int) -> socket.socket:
    try:
        return listening(address, port, BACKLOG)
    except OSError as error:
        raise DvrError(
            f"cannot listen on tcp:{address}:{port}: {error.strerror or error}; name an address of "
            "this machine as the topology's controller:, or with --ofp-listen-host and "
            "--ofp-tcp-listen-port"
        ) from None


def _descriptors() -> int:
    """Raise the limit to the hard one; return how many more descriptors this process may have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - len(os.listdir("/proc/self/fd"))
