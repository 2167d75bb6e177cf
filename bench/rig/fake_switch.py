"""A switch made of a socket: it accepts everything from a controller, has no flows, and measures
the time until the controller answers. No Ryu.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator, Mapping

from bench.rig.openflow import (
    BARRIER_REPLY,
    BARRIER_REQUEST,
    BUNDLE_CONTROL,
    DESCRIPTION,
    ECHO_REPLY,
    ECHO_REQUEST,
    FEATURES_REPLY,
    FEATURES_REQUEST,
    HELLO,
    MULTIPART_REPLY,
    MULTIPART_REQUEST,
    PORT_DESCRIPTION,
    PORT_STATUS,
    Cutter,
    Message,
    multipart,
)

TIMEOUT = 60
"""After so many seconds without a byte, the controller counts as dead."""

_READ = 1 << 16
_FEATURES = struct.Struct("!QIBBxxII")
_DESCRIPTION = struct.Struct("!256s256s256s32s256s")
_PORT = struct.Struct("!IHxx6sxx16sII")
_STATUS = struct.Struct("!Bxxxxxxx")
_BUNDLE = struct.Struct("!IHH")
_ADDED, _DELETED = 0, 1
_COMMIT = 4


class FakeSwitch:
    """A connection to a controller, as the bridge with this description and these ports."""

    def __init__(self, port: int, description: str, ports: Mapping[str, int]) -> None:
        self._description = description
        self._ports = ports
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._messages = self._read()
        self._send(Message(HELLO, 0, b""))

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def await_change(self) -> None:
        """Answer all messages of the controller until the barrier after its next change."""
        self._await(lambda message: message.kind == BUNDLE_CONTROL and _request(message) == _COMMIT)
        self._await(lambda message: message.kind == BARRIER_REQUEST)

    def echo(self) -> float:
        """Send an echo request; return the seconds until the reply."""
        started = time.perf_counter()
        self._send(Message(ECHO_REQUEST, 0, b""))
        self._await(lambda message: message.kind == ECHO_REPLY)
        return time.perf_counter() - started

    def lose_port(self, name: str) -> float:
        """Report that a port was removed; return the seconds until the barrier after the change."""
        return self._send_port_status(_DELETED, name)

    def gain_port(self, name: str) -> float:
        """Report that a port was added; return the seconds until the barrier after the change."""
        return self._send_port_status(_ADDED, name)

    def _send_port_status(self, reason: int, name: str) -> float:
        started = time.perf_counter()
        self._send(Message(PORT_STATUS, 0, _STATUS.pack(reason) + self._port(name)))
        self.await_change()
        return time.perf_counter() - started

    def _await(self, awaited: Callable[[Message], bool]) -> None:
        for message in self._messages:
            if answer := self._answer(message):
                self._send(answer)
            if awaited(message):
                return
        raise AssertionError("the controller closed the connection")

    def _answer(self, message: Message) -> Message | None:
        if message.kind == FEATURES_REQUEST:
            return Message(FEATURES_REPLY, message.xid, _FEATURES.pack(1, 0, 254, 0, 0, 0))
        if message.kind == ECHO_REQUEST:
            return Message(ECHO_REPLY, message.xid, message.body)
        if message.kind == BARRIER_REQUEST:
            return Message(BARRIER_REPLY, message.xid, b"")
        if message.kind == BUNDLE_CONTROL:
            bundle, request, flags = _BUNDLE.unpack_from(message.body)
            return Message(BUNDLE_CONTROL, message.xid, _BUNDLE.pack(bundle, request + 1, flags))
        if message.kind == MULTIPART_REQUEST:
            kind = message.multipart_type
            return multipart(MULTIPART_REPLY, message.xid, kind, self._content(kind))
        return None

    def _content(self, kind: int) -> bytes:
        if kind == DESCRIPTION:
            return _DESCRIPTION.pack(b"", b"", b"", b"", self._description.encode())
        if kind == PORT_DESCRIPTION:
            return b"".join(map(self._port, self._ports))
        return b""

    def _port(self, name: str) -> bytes:
        return _PORT.pack(self._ports[name], _PORT.size, bytes(6), name.encode(), 0, 0)

    def _send(self, message: Message) -> None:
        self._socket.sendall(message.packed())

    def _read(self) -> Iterator[Message]:
        cutter = Cutter()
        while piece := self._socket.recv(_READ):
            yield from cutter.feed(piece)


def _request(message: Message) -> int:
    """The type of a bundle control message."""
    request: int = _BUNDLE.unpack_from(message.body)[1]
    return request
