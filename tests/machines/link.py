"""A link of Ethernet between machines: two, three or more. It is unix sockets and a thread.

What one machine sends, all others get, as from a hub. A frame may have 64 kB.
"""

from __future__ import annotations

import selectors
import socket
import struct
from contextlib import suppress
from pathlib import Path
from threading import Thread
from types import TracebackType

_LONGEST_FRAME = 65536
_PATIENCE = struct.pack("ll", 1, 0)
"""Seconds and microseconds that a frame waits for a machine that does not read; then it is lost."""


class Link:
    """A link that is up from `with` to its end. Machines may come and go meanwhile."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder, self._name = folder, name
        self._peers: dict[socket.socket, Path] = {}
        self._selector = selectors.DefaultSelector()
        self._ended, self._end = socket.socketpair()
        self._selector.register(self._ended, selectors.EVENT_READ)
        self._thread = Thread(target=self._forward, name=f"link {name}", daemon=True)

    def __enter__(self) -> Link:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._end.close()
        self._thread.join()
        for hub in (*self._peers, self._ended):
            hub.close()

    def backend(self, machine: str) -> str:
        """Return qemu's words for the end of this link in a machine. Each machine asks once."""
        ours, theirs = (self._folder / f"{self._name}-{machine}-{side}" for side in ("hub", "nic"))
        hub = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        hub.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, _PATIENCE)
        hub.bind(str(ours))
        self._peers = {**self._peers, hub: theirs}  # the thread goes through the former one
        self._selector.register(hub, selectors.EVENT_READ)
        return f"dgram,local.type=unix,local.path={theirs},remote.type=unix,remote.path={ours}"

    def _forward(self) -> None:
        while True:
            for ready, _ in self._selector.select():
                source = ready.fileobj
                if source is self._ended:
                    return
                assert isinstance(source, socket.socket)
                frame = source.recv(_LONGEST_FRAME)
                for hub, peer in self._peers.items():
                    if hub is not source:
                        with suppress(OSError):  # the machine is off, or does not read
                            hub.sendto(frame, str(peer))
