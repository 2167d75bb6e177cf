"""A program at a real socket that talks QMP as qemu does, with the answers of a test."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Message = dict[str, Any]
Answer = Callable[[str], "Message | None"]
"""A command → the message that answers it; none, and the peer ends as a qemu that has crashed."""

GREETING: Message = {"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": []}}
EVENT: Message = {"event": "RESUME", "data": {}}


@contextmanager
def qmp_peer(path: Path, answer: Answer) -> Iterator[list[Message]]:
    """Serve QMP at `path`, one connection at a time; yield the requests so far. An event comes
    before each answer.
    """
    requests: list[Message] = []

    class Connection(socketserver.StreamRequestHandler):
        timeout = 10

        def handle(self) -> None:
            self._send(GREETING)
            for line in self.rfile:
                request = json.loads(line)
                command = request["execute"]
                found = {"return": {}} if command == "qmp_capabilities" else answer(command)
                if command != "qmp_capabilities":
                    requests.append(request)
                if found is None:
                    return
                self._send(EVENT)
                self._send(found)

        def _send(self, message: Message) -> None:
            self.wfile.write(json.dumps(message).encode() + b"\n")

    with socketserver.UnixStreamServer(str(path), Connection) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield requests
        finally:
            server.shutdown()
            thread.join()
            path.unlink()
