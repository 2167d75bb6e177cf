"""What the companion that stays says: to people in its log, each thing once, and to programs in its
state file. Nothing that it cannot say keeps it from its work.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers import notes
from dvr_ryu.errors import HostError, one_line

STATE_FILE = Path(RUN_DIRECTORY, "companion.json")


def log(words: str) -> None:
    """Write a line to the log; one that is on a full disk does without."""
    with suppress(OSError):
        print(words, file=sys.stderr, flush=True)


def write_state(state: str, changes: int, topology: str, error: str = "") -> None:
    """Say for others how the round ended; `topology` is the SHA-256 of the file applied. Raise
    Unwritable.
    """
    words: dict[str, Any] = {"state": state, "pid": os.getpid(), "changes": changes}
    words |= {"topology": topology, "error": error}
    notes.replace(STATE_FILE, json.dumps(words) + "\n")


def _matter(error: Exception) -> str:
    return error.reason if isinstance(error, notes.Unwritable) else one_line(error)


class Reporter:
    """Says of what lasts that it is so, and does not say it again."""

    def __init__(self) -> None:
        self._complaints: set[str] = set()
        self._there: tuple[str, ...] = ()

    def complain(self, errors: Sequence[Exception]) -> None:
        """Say what went wrong in a round: while the host is in trouble, each thing once, for it may
        fail at another one each time. Of all files on a full disk one is named.
        """
        in_trouble = any(isinstance(error, HostError | OSError) for error in errors)
        said = self._complaints if in_trouble else self._complaints & {*map(_matter, errors)}
        for error in errors:
            if _matter(error) not in said:
                log(one_line(error))
            said = {*said, _matter(error)}
        self._complaints = said

    def tell(self, lines: Iterable[str]) -> None:
        """Say what there is on the host beside what is ours: each thing once, while it is there."""
        there = tuple(lines)
        for line in there:
            if line not in self._there:
                log(line)
        self._there = there
