"""Serves a table of routes over HTTP, and limits what peers may take of this process.

It uses Python's sockets and threads, which ryu-manager replaces by green ones: so it serves in the
controller, and in programs with threads. No peer can stop or slow the process: connections, their
number a second, their bytes and their seconds are bounded. An occupied address only means that
nothing is served for now.
"""

from __future__ import annotations

import logging
import resource
import socket
import threading
import time
import traceback
from contextlib import suppress
from http import HTTPStatus

from dvr_ryu.listening import GONE, listening
from dvr_ryu.switch.guard.admission import Admission
from dvr_ryu.switch.peer_log import log_peer
from dvr_ryu.web.address import PageAddress
from dvr_ryu.web.connection import HttpConnection
from dvr_ryu.web.guard import objection
from dvr_ryu.web.messages import Request, Response, Routes, refusal

LOG = logging.getLogger("dvr_ryu")

MOST_CONNECTIONS = 64
"""The most open connections, if the process may have that many descriptors sixteen times."""
BURST, RATE = 64, 50
"""So many connections are accepted at once, and then so many a second."""
TRY_AGAIN = 5.0
"""Seconds until the next attempt to listen, or to accept where the system had no room."""
_BACKLOG = 128


class Server:
    """Serves routes at an address from `start` to `stop`."""

    def __init__(self, address: PageAddress, routes: Routes, what: str, option: str) -> None:
        """`what` is served, for the log; `option` gives the address."""
        self.address = address
        """Where it listens; with the system's port, once it listens at port 0."""
        self._routes = routes
        self._what, self._option = what, option
        self._names = {socket.gethostname().lower()}
        _, descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._most = max(4, min(MOST_CONNECTIONS, descriptors // 16))
        self._open: Admission[HttpConnection] = Admission(lambda each: each.progress)
        self._entering = threading.Lock()
        self._socket: socket.socket | None = None
        self._ended = threading.Event()

    def start(self) -> None:
        """Listen, and serve in threads from now on. Where it cannot listen, the log says so, and it
        tries again."""
        self._listen()
        threading.Thread(target=self._serve, name=self._what, daemon=True).start()

    def stop(self) -> None:
        """Accept no more connections."""
        self._ended.set()
        if self._socket:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def answer(self, request: Request) -> Response:
        """The response to a request. A mistake of a route is one line in the log, no exception."""
        if refused := objection(request, self._names):
            return refused
        route = self._routes.get(request.path)
        if route is None:
            return refusal(HTTPStatus.NOT_FOUND, "there is nothing at this path")
        try:
            return route(request)
        except Exception as error:
            line = f"{request.path} fails: {_mistake(error)}"
            log_peer(logging.ERROR, f"the {self._what} {line}: {error}")
            return refusal(HTTPStatus.INTERNAL_SERVER_ERROR, line)

    def _listen(self, again: bool = False) -> None:
        try:
            self._socket = self._opened()
        except OSError as error:
            if not again:
                LOG.warning(
                    "no %s: cannot listen on %s: %s; name another address as %s. "
                    "All else goes on, and it tries again",
                    self._what, self.address, error.strerror or error, self._option,
                )  # fmt: skip
            return
        host, port, *_ = self._socket.getsockname()
        self.address = PageAddress(host, port)
        LOG.info("%s at %s", self._what, self.address.url)

    def _opened(self) -> socket.socket:
        if self.address.descriptor is None:
            return listening(self.address.host, self.address.port, _BACKLOG)
        sock = socket.socket(fileno=self.address.descriptor)
        sock.getsockname()  # an OSError if it is no socket
        return sock

    def _serve(self) -> None:
        while self._socket is None and not self._ended.is_set():
            time.sleep(TRY_AGAIN)
            self._listen(again=True)
        if self._socket is not None:
            with self._socket:
                self._accept(self._socket)

    def _accept(self, listener: socket.socket) -> None:
        allowance, since = float(BURST), time.monotonic()
        while not self._ended.is_set():
            try:
                sock, peer = listener.accept()
            except OSError as error:
                if error.errno not in GONE and not self._ended.is_set():
                    time.sleep(TRY_AGAIN)  # the system has no room for a connection
                continue
            self._enter(sock, peer[0])
            now = time.monotonic()
            allowance, since = min(BURST, allowance + RATE * (now - since)) - 1, now
            # Switches get their turn in a flood of connections; the kernel holds back the others.
            time.sleep(1 / RATE if allowance < 0 else 0)

    def _enter(self, sock: socket.socket, address: str) -> None:
        connection = HttpConnection(sock, self.answer)
        with self._entering:
            too_much = self._open.enter(connection, address, self._most, self._most)
        if too_much:
            too_much.end()
        try:
            threading.Thread(target=self._converse, args=(connection, address), daemon=True).start()
        except RuntimeError:  # the system has no thread for it
            self._leave(connection, address)
            sock.close()

    def _converse(self, connection: HttpConnection, address: str) -> None:
        try:
            connection.serve()
        except (OSError, ValueError) as error:  # the peer is gone or late, or writes no HTTP
            LOG.debug("%s: %s: %s", self._what, address, error)
        except Exception as error:  # no request may end this process
            log_peer(logging.ERROR, f"the {self._what} cannot answer {address}: {_mistake(error)}")
        finally:
            self._leave(connection, address)

    def _leave(self, connection: HttpConnection, address: str) -> None:
        with self._entering:
            self._open.leave(connection, address)


def _mistake(error: Exception) -> str:
    """One line about a mistake of this program."""
    at = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {at.filename}:{at.lineno}"
