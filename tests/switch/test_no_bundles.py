"""A switch that speaks OpenFlow 1.3 and knows no bundles: it gets its flows one by one.

Open vSwitch knows bundles, so the switch is played here: it answers what it must and remembers.
"""

from __future__ import annotations

import socket
import struct
import threading
from pathlib import Path

from dvr_ryu.pipeline.program import Program
from dvr_ryu.pipeline.wire import split_flow_mod
from tests.switch.conftest import view_of
from tests.switch.controller import Controller, wait_until

HEADER = struct.Struct("!BBHI")
HELLO, ERROR, ECHO, EXPERIMENTER, FEATURES = 0, 1, 2, 4, 5
FLOW_MOD, MULTIPART, BARRIER = 14, 18, 20
DESCRIPTION, PORT_DESCRIPTION = 0, 13
BAD_REQUEST, BAD_EXPERIMENTER = 1, 3


class PlainSwitch(threading.Thread):
    """A connection of server-64/br-tun, with the ports that the topology plans for it."""

    def __init__(self, port: int, ports: dict[str, int]) -> None:
        super().__init__(daemon=True)
        self.flow_mods: list[bytes] = []
        self.refused = 0
        self._ports = ports
        self._socket = socket.create_connection(("127.0.0.1", port))

    def run(self) -> None:
        self._send(HELLO, 1, b"")
        received = b""
        while part := self._socket.recv(1 << 16):
            received += part
            while len(received) >= HEADER.size:
                _, kind, length, xid = HEADER.unpack_from(received)
                if len(received) < length:
                    break
                self._answer(kind, xid, received[:length])
                received = received[length:]

    def close(self) -> None:
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

    def _part(self, part: int) -> bytes:
        if part == DESCRIPTION:
            return bytes(256 * 3 + 32) + b"server-64/br-tun".ljust(256, b"\0")
        if part == PORT_DESCRIPTION:
            form = struct.Struct("!Ixxxx6sxx16sIIIIIIII")
            return b"".join(
                form.pack(number, bytes(6), name.encode(), *[0] * 8)
                for name, number in self._ports.items()
            )
        return b""


def test_a_switch_without_bundles_is_filled(
    controller: Controller, topology_file: Path, program: Program
) -> None:
    view = view_of(topology_file, "server-64")
    ports = view.planned_ofports("br-tun")
    switch = PlainSwitch(controller.port, ports)
    switch.start()
    try:
        controller.wait_for("server-64/br-tun in sync")
        wanted = program.basis("br-tun", view, ports).wanted()
        assert dict(split_flow_mod(message) for message in switch.flow_mods) == wanted
        refused, sent = switch.refused, len(switch.flow_mods)
        assert refused and sent == len(wanted)
        text = topology_file.read_text()
        topology_file.write_text(
            text.replace("vm-68: {host: server-68", "vm-68: {host: server-233")
        )
        wait_until(lambda: len(switch.flow_mods) > sent, "the edit's flow-mod")
        assert (len(switch.flow_mods), switch.refused) == (sent + 1, refused)
    finally:
        switch.close()
