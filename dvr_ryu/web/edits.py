"""The last edits of the topology and of flows/, and their differences, in memory. Pure.

The number of edits and the length of each are bounded. The time to compute a difference grows with
its size, not with that of the files.
"""

from __future__ import annotations

import difflib
import time
from collections import deque
from collections.abc import Iterator, Mapping

from attrs import field, frozen

MOST_EDITS = 32
MOST_LINES = 400
"""So many lines of one file's difference are shown; the others are counted."""
MOST_COMPARED = 4000
"""Of a longer changed part the lines are only counted: difflib takes quadratic time."""
_CONTEXT = 3


@frozen
class Edit:
    """A saved edit, applied or refused. `time` is in seconds since the epoch."""

    time: float
    files: Mapping[str, tuple[str, ...]] = field(factory=dict)
    """File → the lines of its difference, as `diff -u` prints them, without a heading."""
    error: str = ""
    """Why it was refused; empty if it was applied."""


class Edits:
    """The last edits, the youngest last, in whatever order they were added."""

    def __init__(self) -> None:
        self._edits: deque[Edit] = deque(maxlen=MOST_EDITS)

    def __iter__(self) -> Iterator[Edit]:
        return iter(sorted(self._edits, key=lambda edit: edit.time))

    def add(self, edit: Edit) -> None:
        """Remember an edit, and forget the oldest one if there are too many."""
        self._edits.append(edit)


def applied(before: Mapping[str, str], after: Mapping[str, str], time: float) -> Edit:
    """The edit from these texts to those, by their file, at a time in seconds since the epoch."""
    files = {
        name: tuple(difference(before.get(name, ""), after.get(name, "")))
        for name in [*before, *(name for name in after if name not in before)]
        if before.get(name) != after.get(name)
    }
    return Edit(time, files)


def refused(error: str) -> Edit:
    """An edit that is not in force."""
    return Edit(time.time(), error=error)


def difference(before: str, after: str) -> Iterator[str]:
    """Yield the lines of `diff -u`, and at last how many were left out, if any."""
    old, new = before.splitlines(), after.splitlines()
    first = _alike(old, new)
    last = _alike(old[first:][::-1], new[first:][::-1])
    start = max(0, first - _CONTEXT)
    old = old[start : len(old) - max(0, last - _CONTEXT)]
    new = new[start : len(new) - max(0, last - _CONTEXT)]
    if len(old) + len(new) > MOST_COMPARED:
        yield f"@@ line {first + 1}: {len(old)} lines become {len(new)} @@"
        return
    left_out = 0
    for number, line in enumerate(difflib.unified_diff(old, new, n=_CONTEXT, lineterm="")):
        if number < 2:  # the names of the files
            continue
        if number - 2 >= MOST_LINES:
            left_out += 1
        else:
            yield _moved(line, start) if line.startswith("@@") else line
    if left_out:
        yield f"and {left_out} more lines"


def _alike(old: list[str], new: list[str]) -> int:
    """The number of lines at the beginning that are the same."""
    pairs = enumerate(zip(old, new, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(old), len(new)))


def _moved(heading: str, by: int) -> str:
    """A heading such as "@@ -1,3 +1,4 @@" with line numbers that are greater by `by`."""
    _, old, new, _ = heading.split(" ")

    def moved(span: str) -> str:
        line, comma, count = span[1:].partition(",")
        return f"{span[0]}{int(line) + by}{comma}{count}"

    return f"@@ {moved(old)} {moved(new)} @@"
