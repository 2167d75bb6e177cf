"""Peers of a controller that are made of sockets: they advance to a state and then send any bytes.
They store no flows, and answer like a bridge without flows.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from enum import Enum
from typing import NamedTuple

from tests import openflow_messages as of

LOOPBACK = "127.0.0.1"
TIMEOUT = 60.0
"""After so many seconds of silence, the controller counts as hung."""

FEATURES_REQUEST, MULTIPART_REQUEST, BARRIER_REQUEST, BUNDLE_CONTROL = 5, 18, 20, 33
_COMMIT = 4
_BUNDLE_CONTROL_OF_1_3 = struct.pack("!II", 0x4F4E4600, 2300)
_ECHO = 0x6563686F
"""The transaction id of the awaited echo."""


class Message(NamedTuple):
    """A message from the controller."""

    kind: int
    xid: int
    body: bytes

    @property
    def bundle_request(self) -> int | None:
        """The type of a bundle control message, of OpenFlow 1.4 or of the extension of 1.3."""
        if self.kind == BUNDLE_CONTROL:
            return int.from_bytes(self.body[4:6], "big")
        if self.kind == of.EXPERIMENTER and self.body[:8] == _BUNDLE_CONTROL_OF_1_3:
            return int.from_bytes(self.body[12:14], "big")
        return None

    def requests(self, multipart: int) -> bool:
        return self.kind == MULTIPART_REQUEST and self.body[:2] == multipart.to_bytes(2, "big")


class State(Enum):
    """The state of a connection: the request of the controller that waits for its answer."""

    FRESH = "before HELLO"
    GREETED = "before the features"
    KNOWN = "before the description"
    NAMED = "before the ports"
    READ = "before the flows"
    CHANGING = "in the middle of a bundle"
    SETTLED = "in sync"


_REACHED: Mapping[State, Callable[[Message], bool]] = {
    State.GREETED: lambda message: message.kind == FEATURES_REQUEST,
    State.KNOWN: lambda message: message.requests(of.DESCRIPTION),
    State.NAMED: lambda message: message.requests(of.PORTS),
    State.READ: lambda message: message.requests(of.FLOWS),
    State.CHANGING: lambda message: message.bundle_request == _COMMIT,
}


class Peer:
    """A connection to a controller. `xid` is that of the controller's last message."""

    def __init__(
        self,
        port: int,
        description: bytes = b"server-64/br-tun",
        ports: Mapping[str, int] | None = None,
        version: int = of.V1_4,
    ) -> None:
        self.version = version
        self.xid = 0
        self.description = description
        self.ports = dict(ports or {})
        self.socket = socket.create_connection((LOOPBACK, port), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address = "{}:{}".format(*self.socket.getsockname())
        self._rest = b""
        self._messages = self._hear()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, *content: bytes) -> None:
        """Send bytes; nothing happens if the controller has closed the connection."""
        with suppress(ConnectionError, TimeoutError):
            self.socket.sendall(b"".join(content))

    def advance(self, state: State) -> None:
        """Act like a switch until this state. ConnectionError if the controller closes before."""
        if state == State.FRESH:
            return
        self.send(of.hello(self.version))
        if state == State.SETTLED:
            self.await_change()
        else:
            self.answer_until(_REACHED[state])

    def answer_next(self, awaited: Callable[[Message], bool]) -> Message:
        """Answer all messages up to such a message, too; return that one."""
        message = self.answer_until(awaited)
        self.send(self._answer(message))
        return message

    def answer_until(self, awaited: Callable[[Message], bool]) -> Message:
        for message in self._messages:
            self.xid = message.xid
            if awaited(message):
                return message
            self.send(self._answer(message))
        raise ConnectionError("the controller closed the connection")

    def _answer(self, message: Message) -> bytes:
        version, xid = self.version, message.xid
        if message.kind == FEATURES_REQUEST:
            return of.features(version, xid)
        if message.kind == of.ECHO_REQUEST:
            return of.message(version, of.ECHO_REPLY, xid, message.body)
        if message.kind == BARRIER_REQUEST:
            return of.message(version, of.BARRIER, xid)
        if message.bundle_request is not None:
            bundle, request, flags = struct.unpack("!IHH", message.body[-8:])
            answer = struct.pack("!IHH", bundle, request + 1, flags)
            return of.message(version, message.kind, xid, message.body[:-8] + answer)
        if message.requests(of.DESCRIPTION):
            return of.description(version, xid, self.description)
        if message.requests(of.PORTS):
            ports = (of.port(version, number, name.encode()) for name, number in self.ports.items())
            return of.multipart(version, of.PORTS, xid, b"".join(ports))
        if message.requests(of.AGGREGATE):
            return of.multipart(version, of.AGGREGATE, xid, bytes(24))
        if message.requests(of.FLOWS):
            return of.multipart(version, of.FLOWS, xid)
        return b""

    def _hear(self) -> Iterator[Message]:
        """The messages of the controller until it closes."""
        while True:
            while len(self._rest) >= of.HEADER.size:
                _, kind, length, xid = of.HEADER.unpack_from(self._rest)
                if len(self._rest) < length:
                    break
                body, self._rest = self._rest[of.HEADER.size : length], self._rest[length:]
                yield Message(kind, xid, body)
            try:
                piece = self.socket.recv(1 << 16)
            except ConnectionError:
                return
            if not piece:
                return
            self._rest += piece

    def await_end(self) -> list[Message]:
        """Read until the controller closes the connection; return its messages.

        TimeoutError if it does not close.
        """
        return list(self._messages)

    def echo(self) -> float:
        """Send an echo request; return the seconds until the reply."""
        began = time.monotonic()
        self.send(of.message(self.version, of.ECHO_REQUEST, _ECHO))
        self.answer_until(lambda message: message.kind == of.ECHO_REPLY and message.xid == _ECHO)
        return time.monotonic() - began

    def change(self, reason: int, name: str) -> float:
        """Report that a port was added or removed; return the seconds until the following change is
        complete.
        """
        began = time.monotonic()
        port = of.port(self.version, self.ports[name], name.encode())
        self.send(of.port_status(self.version, 0, reason, port))
        self.await_change()
        return time.monotonic() - began

    def await_change(self) -> None:
        """Answer all messages until a change is complete."""
        self.answer_next(_REACHED[State.CHANGING])
        self.answer_next(lambda message: message.kind == BARRIER_REQUEST)
