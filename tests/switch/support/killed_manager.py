"""A ryu-manager that kills itself with SIGKILL while it changes a bridge, at a moment of the
bundle.

The product does not know about this: the messages that Ryu's datapath sends are observed from
outside. All earlier messages have left the process by then.
"""

from __future__ import annotations

import os
import signal
import struct
import sys
from collections.abc import Callable
from typing import Any

OPEN, HALF, FULL, COMMITTED = "opened", "half full", "full", "committed"
MOMENTS = (OPEN, HALF, FULL, COMMITTED)

_HEADER = struct.Struct("!BBHI")
_CONTROL, _ADD = 33, 34
_OPEN_REQUEST, _COMMIT_REQUEST = 0, 4


def main(moment: str) -> int:
    """Run ryu-manager until the moment comes."""
    # The first import patches sockets and threads; a test that imports this file must keep its own.
    from ryu.cmd import manager
    from ryu.controller.controller import Datapath

    send = Datapath.send

    def sending(self: Any, buf: bytes, close_socket: bool = False) -> Any:
        step = _step(buf)
        if moment == FULL and step == _COMMIT_REQUEST:
            _die(self, send)
        half = moment == HALF and step == _ADD
        # Some moments are in the middle of a message.
        done = send(self, buf[: len(buf) // 2] if half else buf, close_socket)
        if half or (moment, step) in ((OPEN, _OPEN_REQUEST), (COMMITTED, _COMMIT_REQUEST)):
            _die(self, send)
        return done

    Datapath.send = sending
    return int(manager.main() or 0)


def _step(buf: bytes) -> int | None:
    """The type of a bundle control message, or ADD for a bundle add; None for all other messages.

    A bundle that is opened and at once discarded only tests whether the switch knows bundles.
    """
    _, kind, length, _ = _HEADER.unpack_from(buf)
    if kind == _CONTROL and length == len(buf):
        (request,) = struct.unpack_from("!H", buf, _HEADER.size + 4)
        return int(request)
    return _ADD if kind == _ADD else None


class _Last:
    """A socket that ends this process when it gets empty data."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def sendall(self, buf: bytes) -> None:
        if not buf:
            os.kill(os.getpid(), signal.SIGKILL)
        self._socket.sendall(buf)


def _die(datapath: Any, send: Callable[[Any, bytes], Any]) -> None:
    """End this process once all messages have left it: they wait in a queue."""
    from ryu.lib import hub

    datapath.socket = _Last(datapath.socket)
    send(datapath, b"")
    hub.Event().wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv.pop(1)))
