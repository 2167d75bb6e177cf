"""Runs `ryu-manager dvr_ryu.app` with the time in each log line, and reads its log and its
memory.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from dvr_ryu.lab.wait import wait_until
from tests.switch.support import controller

PATIENCE = 300
"""The timeout for a log line, longer than any figure."""

_LOGGING = """\
[loggers]
keys=root,connections
[handlers]
keys=stderr
[formatters]
keys=timed
[logger_root]
level=INFO
handlers=stderr
[logger_connections]
qualname=dvr_ryu.accepted
level=DEBUG
handlers=
[handler_stderr]
class=StreamHandler
formatter=timed
args=()
[formatter_timed]
format=%(created).6f %(message)s
"""
"""The --log-config-file: the controller logs accepted connections only at this level."""

_IN_SYNC = re.compile(
    r"(?P<at>\S+) (?P<bridge>\S+) in sync: (?P<flows>\d+) flows, "
    r"(?:nothing to change|.* in (?P<milliseconds>[\d.]+) ms)"
)


@frozen
class InSync:
    """The log line that reports a bridge in sync.

    `at` is a time.time; `milliseconds` is the controller's own figure, None if it changed nothing.
    """

    at: float
    bridge: str
    flows: int
    milliseconds: float | None


class Controller(controller.Controller):
    """A controller of one topology file; it can be restarted."""

    def __init__(self, folder: Path, topology: Path) -> None:
        config = folder / "logging.conf"
        config.write_text(_LOGGING)
        super().__init__(folder, topology, f"--log-config-file={config}")
        self.started = 0.0

    def start(self) -> None:
        """Start it and wait until it has read its files. `started` is the time.time of the
        start.
        """
        self.started = time.time()
        super().start()

    def wait_for(self, text: str, since: int = 0, patience: float = PATIENCE) -> str:
        """Wait for a log line with this text; return it."""
        found: list[str] = []

        def seen() -> bool:
            found[:] = [line for line in self.lines()[since:] if text in line]
            assert found or not self._has_ended(), "the controller ended:\n" + self._log_tail()
            return bool(found)

        wait_until(seen, patience, f"'{text}' in the controller's log")
        return found[0]

    def _has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def _log_tail(self) -> str:
        return "\n".join(self.lines()[-30:])

    def time_of(self, text: str, since: int = 0) -> float:
        """Wait for a log line with this text; return the time.time when it was written."""
        return float(self.wait_for(text, since).split()[0])

    def in_sync(self, since: int = 0, bridge: str = "") -> InSync:
        """Wait until a bridge is in sync: `bridge`, or any bridge."""
        self.wait_for(f"{bridge} in sync: ", since)
        return next(each for each in self.syncs(since) if bridge in each.bridge)

    def syncs(self, since: int = 0) -> Iterator[InSync]:
        """All log lines that report a bridge in sync."""
        for line in self.lines()[since:]:
            if found := _IN_SYNC.match(line):
                milliseconds = found["milliseconds"]
                yield InSync(
                    float(found["at"]),
                    found["bridge"],
                    int(found["flows"]),
                    float(milliseconds) if milliseconds else None,
                )

    def peak_memory(self) -> float:
        """The peak of its memory in MiB (VmHWM)."""
        assert self._process
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
        assert found
        return int(found[1]) / 1024


@contextmanager
def running(topology: Path) -> Iterator[Controller]:
    """A started controller, whose log is in a folder of its own; it is killed at the end."""
    with tempfile.TemporaryDirectory(prefix="dvr") as folder:
        process = Controller(Path(folder), topology)
        try:
            process.start()
            yield process
        finally:
            process.kill()
