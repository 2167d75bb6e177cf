"""A switch's peer without knowledge of flows: it writes prepared bytes and awaits the barrier
reply. No Ryu.

It measures how fast the switch itself is.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator

from bench.rig.openflow import (
    BARRIER_REPLY,
    BARRIER_REQUEST,
    ERROR,
    FEATURES_REPLY,
    FEATURES_REQUEST,
    FLOW_STATS,
    HELLO,
    MULTIPART_REPLY,
    MULTIPART_REQUEST,
    Cutter,
    Message,
    multipart,
)

TIMEOUT = 60
"""After so many seconds without a byte, the switch counts as dead."""

_READ = 1 << 18
_CHUNK = 1 << 18
_ALL_FLOWS = struct.pack("!BxxxIIxxxxQQHHxxxx", 0xFF, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 1, 4)
"""ofp_flow_stats_request of OpenFlow 1.4: every table, port, group and cookie, an empty match."""


class Listener:
    """A listening socket for switches, on loopback."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._socket.settimeout(TIMEOUT)
        self.port: int = self._socket.getsockname()[1]
        self.target = f"tcp:127.0.0.1:{self.port}"

    def accept(self, count: int = 1) -> list[Connection]:
        """Accept so many connections and shake hands. Raises TimeoutError if a switch does not
        connect.
        """
        connections = [Connection(self._socket.accept()[0]) for _ in range(count)]
        for connection in connections:
            connection.await_handshake()
        return connections

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()


class Connection:
    """The controller's end of one connection to a switch."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._messages = self._read()
        for kind in (HELLO, FEATURES_REQUEST):
            self._socket.sendall(Message(kind, 0, b"").packed())

    def await_handshake(self) -> None:
        """Wait for the switch's answers; then `datapath_id` is known.

        Until then, Open vSwitch may leave bytes right after a hello unread for 500 ms.
        """
        self.datapath_id = int.from_bytes(self._await(FEATURES_REPLY).body[:8], "big")

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def write(self, changes: list[Message]) -> float:
        """Write messages, the last of which is a barrier; return the seconds until its reply.

        Raises AssertionError if the switch refuses a message.
        """
        return write_at_once([(self, changes)])

    def send(self, content: bytes) -> None:
        """Write prepared bytes."""
        for at in range(0, len(content), _CHUNK):
            self._socket.sendall(content[at : at + _CHUNK])

    def await_barrier(self, barrier: Message) -> None:
        """Wait for the reply to a barrier. Raises AssertionError if the switch refused a
        message.
        """
        assert barrier.kind == BARRIER_REQUEST
        while self._await(BARRIER_REPLY).xid != barrier.xid:
            pass

    def dump(self) -> float:
        """Request all flows; return the seconds until the last has arrived."""
        started = time.perf_counter()
        self._socket.sendall(multipart(MULTIPART_REQUEST, 2, FLOW_STATS, _ALL_FLOWS).packed())
        while self._await(MULTIPART_REPLY).more:
            pass
        return time.perf_counter() - started

    def _await(self, kind: int) -> Message:
        for message in self._messages:
            assert message.kind != ERROR, f"the switch answers with an error: {message}"
            if message.kind == kind:
                return message
        raise AssertionError("the switch closed the connection")

    def _read(self) -> Iterator[Message]:
        cutter = Cutter()
        while piece := self._socket.recv(_READ):
            yield from cutter.feed(piece)


def write_at_once(every: list[tuple[Connection, list[Message]]]) -> float:
    """Write its messages to each of several switches, then wait for all; return the seconds."""
    prepared = [
        (connection, b"".join(each.packed() for each in changes), changes[-1])
        for connection, changes in every
    ]
    started = time.perf_counter()
    for connection, content, _ in prepared:
        connection.send(content)
    for connection, _, barrier in prepared:
        connection.await_barrier(barrier)
    return time.perf_counter() - started
