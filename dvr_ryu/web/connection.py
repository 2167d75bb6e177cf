"""One HTTP connection: one request, one response, in a bounded time.

A peer may send anything, or nothing, or read nothing: that ends its connection, and no other one.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus

import h11

from dvr_ryu.deadline import seconds_left
from dvr_ryu.web.guard import HEADERS
from dvr_ryu.web.messages import Request, Response, refusal

REQUEST_SECONDS, RESPONSE_SECONDS, LINGER_SECONDS = 5.0, 30.0, 1.0
"""A peer has so many seconds to send its request, to read the response, and to close."""
MOST_BYTES = 16 * 1024
"""A request's line and headers have at most so many bytes."""

_READ, _PIECE = 1 << 12, 1 << 16


class HttpConnection:
    """An accepted connection."""

    def __init__(self, sock: socket.socket, answer: Callable[[Request], Response]) -> None:
        self._socket = sock
        self._answer = answer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=MOST_BYTES)
        self.progress = 0
        """0 until the request has arrived, then 1."""
        self._is_head = False

    def serve(self) -> None:
        """Answer one request, and close the connection. OSError if the peer is gone or late."""
        try:
            request = self._request(time.monotonic() + REQUEST_SECONDS)
            if request is not None:
                self.progress = 1
                self._respond(self._answer(request), time.monotonic() + RESPONSE_SECONDS)
        except h11.RemoteProtocolError as error:
            status = HTTPStatus(error.error_status_hint)
            self._respond(refusal(status, str(error)), time.monotonic() + REQUEST_SECONDS)
        except ValueError as error:
            reason = refusal(HTTPStatus.BAD_REQUEST, str(error))
            self._respond(reason, time.monotonic() + REQUEST_SECONDS)
        finally:
            self._socket.close()

    def end(self) -> None:
        """Close the connection from outside; `serve` ends then."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _request(self, deadline: float) -> Request | None:
        """The request; None if the peer closes before it sends one."""
        while True:
            event = self._http.next_event()
            if isinstance(event, h11.Request):
                self._is_head = event.method == b"HEAD"
                headers = {name.decode(): value.decode("latin-1") for name, value in event.headers}
                return Request.of(event.method.decode(), event.target.decode(), headers)
            if isinstance(event, h11.ConnectionClosed):
                return None
            self._socket.settimeout(seconds_left(deadline))
            self._http.receive_data(self._socket.recv(_READ))

    def _respond(self, response: Response, deadline: float) -> None:
        headers = [
            ("Content-Type", response.content_type),
            ("Content-Length", str(len(response.body))),
            ("Connection", "close"),
            *HEADERS,
            *response.headers,
        ]
        status = HTTPStatus(response.status)
        head = h11.Response(status_code=status, reason=status.phrase, headers=headers)
        content = self._http.send(head) or b""
        if not self._is_head:
            content += self._http.send(h11.Data(data=response.body)) or b""
        self._send(content, deadline)
        self._linger(time.monotonic() + LINGER_SECONDS)

    def _send(self, content: bytes, deadline: float) -> None:
        rest = memoryview(content)
        while rest:
            self._socket.settimeout(seconds_left(deadline))
            rest = rest[self._socket.send(rest[:_PIECE]) :]

    def _linger(self, deadline: float) -> None:
        """Let the peer close first: a close with unread bytes would take the response from it."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            read = 0
            while read < MOST_BYTES:
                self._socket.settimeout(seconds_left(deadline))
                if not (piece := self._socket.recv(_PIECE)):
                    return
                read += len(piece)
