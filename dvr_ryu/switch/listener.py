"""Where switches connect: accepts, looks after every connection, and never gives up listening.

It takes the place of Ryu's OpenFlowController, whose accept() ends for good at the first failure.
`stand_before_ryu` is the one place that puts it there.
"""

from __future__ import annotations

import errno
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
from dvr_ryu.switch.connection import Connection, Secure, in_the_clear, mistake
from dvr_ryu.switch.guard.admission import Admission
from dvr_ryu.switch.guard.identity import peer_of
from dvr_ryu.switch.lasting import lasting
from dvr_ryu.switch.telling import tell, tell_counts

LOG = logging.getLogger("dvr_ryu")
ACCEPTED = logging.getLogger("dvr_ryu.accepted")
"""Tells of each accepted connection, at level DEBUG."""

LOOK = 1.0
"""Seconds between two looks at the connections."""
LATE = 5.0
"""Seconds between two looks that tell that this process stood still."""
PAUSE = 0.2
"""Seconds until accept() is tried again when the system had no room for a connection."""
BACKLOG = 1024
MOST_UNKNOWN = 1024
"""Connections that have not said whose they are, at most, if there are descriptors for them."""
OF_ANY_ADDRESS = 64
"""Such connections that an address may have, beside those of bridges that are expected there."""
RESERVED = 16
"""Descriptors that are left for all else than connections."""

_NO_ROOM = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_ITS_OWN_FAULT = {errno.ECONNABORTED, errno.EINTR, errno.EAGAIN, errno.EPROTO, errno.EPERM}
"""accept(2): the connection was gone before it was accepted, or the firewall forbade it."""


class Listener:
    """Listens at an address from its making on; raises DvrError if nobody can. A call accepts."""

    def __init__(
        self,
        address: str,
        port: int,
        expected: Callable[[str], int],
        secure: Secure = in_the_clear,
    ) -> None:
        """`expected` tells how many bridges may connect from an address; `secure` makes TLS."""
        self._expected = expected
        self._secure = secure
        self._connections: set[Connection] = set()
        self._unknown: Admission[Connection] = Admission(lambda each: each.progress)
        self._socket = _listening(address, port)
        self._room = _descriptors() - RESERVED

    def __call__(self) -> None:
        """Accept for ever. If that cannot go on, the process ends, and is started again."""
        hub.spawn(lasting("look after connections", self._look_after))
        lasting("listen", self._accept)()

    def _accept(self) -> None:
        while True:
            try:
                sock, address = self._socket.accept()
            except OSError as error:
                if error.errno in _NO_ROOM:
                    self._make_room(error)
                elif error.errno not in _ITS_OWN_FAULT:
                    raise
                continue
            hub.spawn(self._serve, sock, address)
            hub.sleep(0)  # so that a flood of connections leaves time for those that are there

    def _make_room(self, error: OSError) -> None:
        tell(logging.ERROR, f"no room for another connection: {error.strerror}")
        if least := self._unknown.least():
            least.end("gives way: the controller has no room for more connections")
        hub.sleep(PAUSE)

    def _serve(self, sock: Any, address: Any) -> None:
        try:
            connection = Connection(sock, address, self._secure)
        except Exception as error:
            sock.close()
            if not isinstance(error, OSError):  # which is a peer that is gone already
                tell(logging.ERROR, f"{peer_of(address)}: {mistake(error)}", peer_of(address))
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
        """Note whether a connection is known to be of a bridge of the topology."""
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
        """End the connections that have shown no certificate."""
        for connection in list(self._connections):
            if connection.peer.hosts is None:
                reason = "came without TLS, and the file says ssl: now; the connection is closed"
                connection.end(reason, logging.INFO)

    def _look_after(self) -> None:
        while True:
            began = time.monotonic()
            hub.sleep(LOOK)
            now = time.monotonic()
            # Where this process itself stood still, what switches have said meanwhile comes first.
            for connection in list(self._connections if now - began < LATE else ()):
                connection.look(now)
            tell_counts()


def stand_before_ryu(listener: Listener) -> None:
    """Let Ryu's OpenFlow service start this listener where it would start its own."""
    ofp_handler.OpenFlowController = lambda: listener


def _listening(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((address, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise DvrError(
            f"cannot listen on tcp:{address}:{port}: {error.strerror or error}; name an address of "
            "this machine as the topology's controller:, or with --ofp-listen-host and "
            "--ofp-tcp-listen-port"
        ) from None
    return sock


def _descriptors() -> int:
    """How many more descriptors this process may have; its limit is raised as far as it may be."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard - len(os.listdir("/proc/self/fd"))
