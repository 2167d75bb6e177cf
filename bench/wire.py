"""A switch's peer that knows nothing of flows: prepared bytes out, the barrier's reply in. No Ryu.

It stands for what the switch itself can take, and give.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator

from bench.openflow import (
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
"""Seconds without a byte from the switch, after which it counts as dead."""

_READ = 1 << 18
_CHUNK = 1 << 18
_ALL_FLOWS = struct.pack("!BxxxIIxxxxQQHHxxxx", 0xFF, 0xFFFFFFFF, 0xFFFFFFFF, 0, 0, 1, 4)
"""ofp_flow_stats_request of OpenFlow 1.4: every table, port, group and cookie, an empty match."""


class Listener:
    """Where switches connect to, on loopback."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._socket.settimeout(TIMEOUT)
        self.target = f"tcp:127.0.0.1:{self._socket.getsockname()[1]}"

    def accept(self) -> Wire:
        """The next connection, after the handshake. Raises TimeoutError if none comes."""
        return Wire(self._socket.accept()[0])

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


class Wire:
    """The controller's end of one connection to a switch, which is `datapath_id`."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.settimeout(TIMEOUT)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._messages = self._read()
        self._socket.sendall(Message(HELLO, 0, b"").packed())
        self._await(HELLO)
        # An answer also tells that Open vSwitch reads: what comes with its hello may wait 500 ms.
        self._socket.sendall(Message(FEATURES_REQUEST, 1, b"").packed())
        self.datapath_id = int.from_bytes(self._await(FEATURES_REPLY).body[:8], "big")

    def close(self) -> None:
        """End the connection."""
        self._socket.close()

    def write(self, changes: list[Message]) -> float:
        """Write these, of which the last is a barrier; return the seconds until its reply.

        Raises AssertionError if the switch refuses anything.
        """
        assert changes[-1].kind == BARRIER_REQUEST
        content = b"".join(each.packed() for each in changes)
        started = time.perf_counter()
        for at in range(0, len(content), _CHUNK):
            self._socket.sendall(content[at : at + _CHUNK])
        while self._await(BARRIER_REPLY).xid != changes[-1].xid:
            pass
        return time.perf_counter() - started

    def dump(self) -> tuple[float, int]:
        """Ask for all flows; return the seconds until the last arrived, and how many bytes came."""
        started = time.perf_counter()
        self._socket.sendall(multipart(MULTIPART_REQUEST, 2, FLOW_STATS, _ALL_FLOWS).packed())
        reply = self._await(MULTIPART_REPLY)
        read = len(reply.content)
        while reply.more:
            reply = self._await(MULTIPART_REPLY)
            read += len(reply.content)
        return time.perf_counter() - started, read

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
