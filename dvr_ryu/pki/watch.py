"""Checks an endpoint's files again and again: they may be replaced, and they may expire."""

from __future__ import annotations

import time

from dvr_ryu.errors import HostError
from dvr_ryu.pki import certificates
from dvr_ryu.pki.files import PkiFiles

LOOK_SECONDS = 3600.0
"""Unchanged files are checked again after so many seconds."""


class FilesWatch:
    """The files of one endpoint, with their state at the last look."""

    def __init__(self, files: PkiFiles) -> None:
        self._files = files
        self._last_look: object = None
        self._judged: object = None
        self._judge_again = 0.0
        self._line = ""

    def replaced(self) -> bool:
        """Whether a file was replaced since the last call; true at the first call."""
        previous, self._last_look = self._last_look, self._look()
        return self._last_look != previous

    def line(self) -> str:
        """A line about files that are invalid or will be soon; empty if all are valid. It is cheap
        if no file was replaced.
        """
        now, look = time.monotonic(), self._look()
        if look != self._judged or now > self._judge_again:
            self._judged, self._judge_again = look, now + LOOK_SECONDS
            self._line = self._judge(time.time())
        return self._line

    def _look(self) -> list[tuple[int, int, int] | None]:
        found: list[tuple[int, int, int] | None] = []
        for file in self._files.all:
            try:
                status = file.stat()
                found.append((status.st_mtime_ns, status.st_size, status.st_ino))
            except OSError:
                found.append(None)
        return found

    def _judge(self, now: float) -> str:
        try:
            certificate = certificates.require(self._files, now)
        except HostError as error:
            return str(error)
        if certificate.days_left(now) < certificates.WARNING_DAYS:
            advice = certificates.advice(self._files.owner)
            return f"{self._files.certificate} expires on {certificate.last_day}; {advice}"
        return ""
