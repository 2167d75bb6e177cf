"""Write the resident companion's reports: a log for people, each line once, and a state file for
programs. A report that cannot be written does not stop the companion.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers import notes
from dvr_ryu.errors import HostError, one_line

STATE_FILE = Path(RUN_DIRECTORY, "companion.json")


def log(line: str) -> None:
    """Write a line to the log; on a full disk the line is lost."""
    with suppress(OSError):
        print(line, file=sys.stderr, flush=True)


class StateFile:
    """The file that tells programs the result of the last round."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._last = ("", "")
        self._since = 0.0

    def write(self, state: str, changes: int, topology: str, error: str = "") -> None:
        """Write the result of a round; `topology` is the version of the declaration in force. Raise
        Unwritable.
        """
        if self._last != (state, topology):
            self._last, self._since = (state, topology), time.time()
        document: dict[str, Any] = {"host": self._host, "state": state, "since": self._since}
        document |= {"pid": os.getpid(), "changes": changes, "topology": topology, "error": error}
        notes.replace(STATE_FILE, json.dumps(document) + "\n")


def _matter(error: Exception) -> str:
    return error.reason if isinstance(error, notes.Unwritable) else one_line(error)


class Reporter:
    """Logs a state that lasts once, not in each round."""

    def __init__(self) -> None:
        self._complaints: set[str] = set()
        self._there: tuple[str, ...] = ()

    def complain(self, errors: Sequence[Exception]) -> None:
        """Log the errors of a round. While the host is in trouble each error is logged once: every
        round may fail at another one. On a full disk only one file is named.
        """
        in_trouble = any(isinstance(error, HostError | OSError) for error in errors)
        known = self._complaints if in_trouble else self._complaints & {*map(_matter, errors)}
        for error in errors:
            if _matter(error) not in known:
                log(one_line(error))
            known = {*known, _matter(error)}
        self._complaints = known

    def notice(self, lines: Iterable[str]) -> None:
        """Log lines about the host: each once, as long as it is among them."""
        there = tuple(lines)
        for line in there:
            if line not in self._there:
                log(line)
        self._there = there
