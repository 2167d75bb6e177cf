"""Runs `ryu-manager dvr_ryu.app` as a process of a test, on loopback, with its log in a file."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

from dvr_ryu.lab.wait import wait_until

PATIENCE = 60
"""The timeout for an action of the controller."""

RYU_MANAGER = Path(sys.executable).parent / "ryu-manager"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Controller:
    """A controller of one topology file; it runs within a `with` block."""

    def __init__(self, folder: Path, topology: Path, *options: str) -> None:
        self.port = free_port()
        self.target = f"tcp:127.0.0.1:{self.port}"
        self.log = folder / "controller.log"
        self.command = [
            str(RYU_MANAGER),
            "--ofp-listen-host=127.0.0.1",
            f"--ofp-tcp-listen-port={self.port}",
            *options,
            "dvr_ryu.app",
        ]
        self.environment = {
            **os.environ,
            "DVR_TOPOLOGY": str(topology),
            "DVR_PAGE": "127.0.0.1:0",  # beside the controllers of other tests
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Controller:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        mark = self.mark()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command, env=self.environment, stdout=log, stderr=log, cwd="/"
            )
        self.wait_for("listening on", mark)

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def page(self) -> str:
        """The URL of its page, with a slash at the end."""
        return self.wait_for("page at http://").split()[-1]

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def wait_for_end(self) -> int:
        """Wait until it ends by itself; return its exit code."""
        assert self._process
        return self._process.wait(timeout=30)

    def lines(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []

    def mark(self) -> int:
        """The current number of log lines; `wait_for` searches after them."""
        return len(self.lines())

    def wait_for(self, text: str, since: int = 0, patience: float = PATIENCE) -> str:
        """Wait for a log line with this text; return it."""
        found: list[str] = []

        def seen() -> bool:
            found[:] = [line for line in self.lines()[since:] if text in line]
            return bool(found)

        what = f"'{text}' in the controller's log"
        wait_until(seen, patience, what, lambda: "\n".join(self.lines()[-30:]))
        return found[0]
