"""Asks a worker process, one question at a time, each in a bounded time.

The worker starts when somebody asks, and again after it has ended or was killed because it took too
long. Here it is spoken to over a socket, so that other greenlets have their turn meanwhile.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from dvr_ryu.deadline import seconds_left
from dvr_ryu.source.inputs import Inputs
from dvr_ryu.web.client import MOST_BYTES

PATIENCE = 20.0
"""Seconds that one answer may take."""
START_PATIENCE = 60.0
"""Seconds until the process has started and has read the network: 10 000 instances take some."""
MOST_WAITING = 8
"""So many questions wait at a time; others are refused."""

Document = dict[str, Any]


class Busy(Exception):
    """No answer: too many questions wait, or this one takes too long. The text is for people."""


class Worker:
    """A process that answers questions about the last network that it was given."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._waiting = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._known: Inputs | None = None
        self._rest = b""

    def ask(self, inputs: Inputs, question: str, query: Mapping[str, str]) -> Document:
        """The answer to a question about a network. Raises Busy."""
        if self._waiting >= MOST_WAITING:
            raise Busy("too many questions at a time: ask again in a moment")
        self._waiting += 1
        try:
            with self._turn:
                return self._ask(inputs, question, query)
        finally:
            self._waiting -= 1

    def _ask(self, inputs: Inputs, question: str, query: Mapping[str, str]) -> Document:
        try:
            if self._process is not None and self._process.poll() is not None:
                self.end()  # it had nothing to do for a while
            if self._process is None:
                self._start()
            if self._known is not inputs:
                self._known = None
                self._exchange({"network": _network(inputs)}, START_PATIENCE)
                self._known = inputs
            return self._exchange({"question": question, "query": dict(query)}, PATIENCE)
        except TimeoutError:
            self.end()
            raise Busy("this takes too long: it was stopped") from None
        except (OSError, ValueError) as error:
            self.end()
            raise Busy(f"the process that computes this has ended: {error}") from None

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "dvr_ryu.web.worker"],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd="/",  # modules of another folder must not stand before ours
                start_new_session=True,
            )
        self._socket, self._rest = ours, b""

    def _exchange(self, message: Document, patience: float) -> Document:
        assert self._socket
        deadline = time.monotonic() + patience
        content = memoryview(json.dumps(message).encode() + b"\n")
        while content:
            self._socket.settimeout(seconds_left(deadline))
            content = content[self._socket.send(content[: 1 << 16]) :]
        pieces = [self._rest]
        while b"\n" not in pieces[-1]:
            self._socket.settimeout(seconds_left(deadline))
            piece = self._socket.recv(1 << 16)
            if not piece or sum(map(len, pieces)) > MOST_BYTES:
                raise ValueError("it says no more")
            pieces.append(piece)
        line, _, self._rest = b"".join(pieces).partition(b"\n")
        answer: Document = json.loads(line)
        return answer

    def end(self) -> None:
        """End the process, with all that it started."""
        if self._socket:
            self._socket.close()
        if self._process:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = self._socket = self._known = None


def _network(inputs: Inputs) -> Document:
    flows = {each.file: each.text for each in inputs.pipelines.by_bridge.values()}
    return {"topology": inputs.declaration.text, "file": "topology", "flows": flows}
