"""Talks with qemu by QMP, its protocol of JSON lines."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from dvr_ryu.errors import HostError

PATIENCE = 5.0
"""Seconds that qemu may take for an answer."""


class Qmp:
    """A connection to a qemu."""

    def __init__(self, connection: socket.socket, lines: BinaryIO) -> None:
        self._connection = connection
        self._lines = lines

    def execute(self, command: str, **arguments: object) -> dict[str, Any]:
        """Execute a command and return its result. Raise HostError if qemu refuses it, or ends."""
        request = {"execute": command, "arguments": arguments}
        self._connection.sendall(json.dumps(request).encode() + b"\n")
        while True:
            answer = self.read()
            if "error" in answer:
                raise HostError(f"qemu refuses {command}: {answer['error'].get('desc')}")
            if "return" in answer:
                result = answer["return"]
                return result if isinstance(result, dict) else {}

    def read(self) -> dict[str, Any]:
        """Return the next message: an answer, an event or the greeting. Raise HostError at the
        end.
        """
        try:
            answer = json.loads(self._lines.readline())
        except ValueError:
            raise HostError("qemu has ended") from None
        return answer if isinstance(answer, dict) else {}


@contextmanager
def opened(path: str) -> Iterator[Qmp]:
    """Yield a connection to the qemu that has its socket at `path`. Raise HostError or OSError if
    it does not run, or does not answer.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(PATIENCE)
        connection.connect(path)
        # The connection ends with its file, too: qemu talks with one peer at a time.
        with connection.makefile("rb") as lines:
            qmp = Qmp(connection, lines)
            qmp.read()
            qmp.execute("qmp_capabilities")
            yield qmp
