"""A switch that speaks OpenFlow 1.3 without bundles: it accepts its flows one by one.

Open vSwitch knows bundles, so this file plays the switch: it sends the necessary answers and stores
flows.
"""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from contextlib import suppress

from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.compile.flow_bytes import split_flow_mod
from tests.switch.support.controller import PATIENCE

HEADER = struct.Struct("!BBHI")
HELLO, ERROR, ECHO, EXPERIMENTER, FEATURES = 0, 1, 2, 4, 5
FLOW_MOD, MULTIPART, BARRIER = 14, 18, 20
DESCRIPTION, FLOWS, PORT_DESCRIPTION = 0, 1, 13
BAD_REQUEST, BAD_EXPERIMENTER = 1, 3
DELETE_STRICT = 4


class PlainSwitch(threading.Thread):
    """A connection of a bridge with the given ports; by default it is server-64/br-tun.

    `flows` are its flows, which outlive the connection. It closes the connection after `most`
    flow-mods. With a `context` it uses TLS.
    """

    def __init__(
        self,
        port: int,
        ports: dict[str, int],
        flows: dict[bytes, bytes] | None = None,
        most: int | None = None,
        name: str = "server-64/br-tun",
        context: ssl.SSLContext | None = None,
        source: str = "127.0.0.1",
    ) -> None:
        super().__init__(daemon=True)
        self.flow_mods: list[bytes] = []
        self.flows = {} if flows is None else flows
        self._most = most
        self._name = name
        self.refused = 0
        self._ports = ports
        self._socket = _connected(port, source)
        if context:
            self._socket = context.wrap_socket(self._socket)
        self.port: int = self._socket.getsockname()[1]
        self._hung, self._over = threading.Event(), threading.Event()

    def run(self) -> None:
        self._send(HELLO, 1, b"")
        received = b""
        while part := self._socket.recv(1 << 16):
            if self._hung.is_set():
                self._over.wait()
                return
            received += part
            while len(received) >= HEADER.size:
                _, kind, length, xid = HEADER.unpack_from(received)
                if len(received) < length:
                    break
                self._answer(kind, xid, received[:length])
                received = received[length:]
                if len(self.flow_mods) == self._most:
                    self._socket.close()
                    return

    def hang(self) -> None:
        """Stop reading, but keep the connection open."""
        self._hung.set()

    def close(self) -> None:
        self._over.set()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self._socket.close()

    def _send(self, kind: int, xid: int, body: bytes) -> None:
        self._socket.sendall(HEADER.pack(4, kind, HEADER.size + len(body), xid) + body)

    def _answer(self, kind: int, xid: int, message: bytes) -> None:
        if kind == ECHO:
            self._send(ECHO + 1, xid, message[HEADER.size :])
        elif kind == FEATURES:
            self._send(FEATURES + 1, xid, struct.pack("!QIBBxxII", 0x64, 0, 254, 0, 0, 0))
        elif kind == EXPERIMENTER:
            self.refused += 1
            self._send(ERROR, xid, struct.pack("!HH", BAD_REQUEST, BAD_EXPERIMENTER) + message[:64])
        elif kind == MULTIPART:
            (part,) = struct.unpack_from("!H", message, HEADER.size)
            self._send(MULTIPART + 1, xid, struct.pack("!HHxxxx", part, 0) + self._part(part))
        elif kind == BARRIER:
            self._send(BARRIER + 1, xid, b"")
        elif kind == FLOW_MOD:
            self.flow_mods.append(message)
            identity, value = split_flow_mod(message)
            if message[HEADER.size + 17] == DELETE_STRICT:
                self.flows.pop(identity, None)
            else:
                self.flows[identity] = value

    def _part(self, part: int) -> bytes:
        if part == DESCRIPTION:
            return bytes(256 * 3 + 32) + self._name.encode().ljust(256, b"\0")
        if part == PORT_DESCRIPTION:
            layout = struct.Struct("!Ixxxx6sxx16sIIIIIIII")
            return b"".join(
                layout.pack(number, bytes(6), name.encode(), *[0] * 8)
                for name, number in self._ports.items()
            )
        if part == FLOWS:
            return b"".join(_entry(identity, value) for identity, value in self.flows.items())
        return b""


def _connected(port: int, source: str) -> socket.socket:
    """Connect from an address as soon as the controller listens: it logs that a moment before."""
    found: list[socket.socket] = []

    def connected() -> bool:
        with suppress(ConnectionRefusedError):
            found.append(socket.create_connection(("127.0.0.1", port), None, (source, 0)))
        return bool(found)

    wait_until(connected, PATIENCE, "a controller that listens")
    return found[0]


def _entry(identity: bytes, value: bytes) -> bytes:
    """The entry of a flow in flow statistics (ofp_flow_stats)."""
    table, priority, fields = identity[:1], identity[1:3], identity[3:]
    timeouts_and_flags, cookie, instructions = value[:8], value[8:16], value[16:]
    match = struct.pack("!HH", 1, 4 + len(fields)) + fields
    body = table + bytes(9) + priority + timeouts_and_flags + bytes(2) + cookie + bytes(16)
    body += match + bytes(-len(match) % 8) + instructions
    return struct.pack("!H", 2 + len(body)) + body
