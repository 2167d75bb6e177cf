"""Checks an endpoint's files again and again: they may be replaced, and they may expire."""

from __future__ import annotations

import time

from dvr_ryu.errors import HostError
from dvr_ryu.pki import certificates
from dvr_ryu.pki.files import PkiFiles
from dvr_ryu.source.paths import PathWatch

LOOK_SECONDS = 3600.0
"""Unchanged files are checked again after so many seconds."""


class FilesWatch:
    """The files of one endpoint, with their state at the last look."""

    def __init__(self, files: PkiFiles) -> None:
        self._files = files
        self._for_use, self._for_judging = (PathWatch(lambda: files.all) for _ in range(2))
        self._judge_again = 0.0
        self._line = ""

    def replaced(self) -> bool:
        """Whether a file was replaced since the last call; true at the first call."""
        return self._for_use.changed()

    def line(self) -> str:
        """A line about files that are invalid or will be soon; empty if all are valid. It is cheap
        if no file was replaced.
        """
        now = time.monotonic()
        if self._for_judging.changed() or now > self._judge_again:
            self._judge_again = now + LOOK_SECONDS
            self._line = self._judge(time.time())
        return self._line

    def _judge(self, now: float) -> str:
        try:
            certificate = certificates.require(self._files, now)
        except HostError as error:
            return str(error)
        if certificate.days_left(now) < certificates.WARNING_DAYS:
            advice = certificates.advice(self._files.owner)
            return f"{self._files.certificate} expires on {certificate.last_day}; {advice}"
        return ""
