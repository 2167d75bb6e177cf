"""Errors for people: a file, a host or a switch is wrong. They name the location and the remedy.

An error in this program is an ordinary exception with its traceback. Nothing catches it, and it has
no class here.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence

from attrs import frozen

DONE = 0
WRONG_INPUT = 1
DIFFERENT = 2
USAGE = 64
"""Exit codes: done; the input or the environment is wrong; differences or failed checks; wrong
usage.
"""


class DvrError(Exception):
    """An error that the user can correct; its text names the fault and the remedy."""

    exit_code = WRONG_INPUT


class HostError(DvrError):
    """This machine lacks or refuses something: a right, a tool, a device."""


class SwitchError(DvrError):
    """A switch refused a message."""


SHOWN_PROBLEMS = 20
"""So many problems are printed; of further problems only the number."""
SHOWN_COLUMNS = 240
"""Of a longer line of a file, only the part around the location is quoted."""


def printable(text: str) -> str:
    """The text with escapes, such as \\x1b, for characters that could control a terminal."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


_LACKING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
"""The kernel's error numbers for a lack of descriptors, memory or processes."""


def is_exhaustion(error: BaseException) -> bool:
    """Whether an exception means that this process lacks memory, threads or descriptors. It must
    then end, but a new process may succeed.
    """
    if isinstance(error, OSError):
        return error.errno in _LACKING
    no_thread = isinstance(error, RuntimeError) and "can't start new thread" in str(error)
    return no_thread or isinstance(error, MemoryError)


def one_line(error: Exception) -> str:
    """The text of an error. An OSError becomes one line that names its file."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else "the kernel refuses: "
        return f"{where}{error.strerror or error}"
    return str(error)


@frozen(order=True)
class Location:
    """A position in a file. Line and column count from 1; `source` is the line without its end."""

    file: str
    line: int
    column: int
    source: str

    def __str__(self) -> str:
        return printable(f"{self.file}:{self.line}:{self.column}")

    def quoted(self) -> str:
        """Two lines: the line of the file, or a part of it, and a caret under the column."""
        first = max(0, self.column - 1 - SHOWN_COLUMNS // 2)
        if len(self.source) <= SHOWN_COLUMNS:
            first = 0
        at, last = self.column - 1, first + SHOWN_COLUMNS
        before, after = (
            printable(part.replace("\t", " "))
            for part in (self.source[first:at], self.source[at:last])
        )
        before = "…" * (first > 0) + before
        after += "…" * (last < len(self.source))
        return f"  {before}{after}\n  {' ' * len(before)}^"


@frozen(order=True)
class Problem:
    """A problem at a location in a file. A warning stops nothing."""

    location: Location
    message: str
    warning: bool = False

    def __str__(self) -> str:
        """Three lines: location and message, the line of the file, a caret under the column."""
        severity = "warning: " if self.warning else ""
        return f"{self.location}: {severity}{printable(self.message)}\n{self.location.quoted()}"


def written_out(problems: Sequence[Problem]) -> str:
    """The first problems, each with its lines, and the number of the others."""
    lines = [str(problem) for problem in problems[:SHOWN_PROBLEMS]]
    if more := len(problems) - len(lines):
        lines.append(f"and {more:,} more".replace(",", " "))
    return "\n".join(lines)


class FileError(DvrError):
    """A file has problems; this has all that were found, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__(written_out(self.problems))
