"""Whose fault it is: the file, the host or the switch. Errors that people read, with the place and
what to do.

An error of ours is an ordinary exception with its traceback: it is not caught and has no class
here.
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
words.
"""


class DvrError(Exception):
    """Something that the reader can mend; its text says what is wrong and what to do."""

    exit_code = WRONG_INPUT


class HostError(DvrError):
    """This machine lacks something, or refuses something: a right, a tool, a device."""


class SwitchError(DvrError):
    """A switch refused what it was sent."""


SHOWN_PROBLEMS = 20
"""So many problems are written out; of the others it is said how many there are."""
SHOWN_COLUMNS = 240
"""A longer line of a file is quoted around the place that is meant."""


def printable(text: str) -> str:
    """The text with escapes, as \\x1b, for characters that would do something to a terminal."""
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in text
    )


_LACKING = (errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN)
"""What the kernel answers to a process that may have no more descriptors, memory or processes."""


def is_exhaustion(error: BaseException) -> bool:
    """Whether an exception says that this process lacks memory, threads or descriptors: then it
    cannot go on, but a new one may.
    """
    if isinstance(error, OSError):
        return error.errno in _LACKING
    no_thread = isinstance(error, RuntimeError) and "can't start new thread" in str(error)
    return no_thread or isinstance(error, MemoryError)


def one_line(error: Exception) -> str:
    """What is told of an error, in one line if it is the machine's; an OSError names its file."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else "the kernel refuses: "
        return f"{where}{error.strerror or error}"
    return str(error)


@frozen(order=True)
class Location:
    """A character of a file: line and column count from 1; `source` is the whole line, without its
    end.
    """

    file: str
    line: int
    column: int
    source: str

    def __str__(self) -> str:
        return printable(f"{self.file}:{self.line}:{self.column}")

    def quoted(self) -> str:
        """Two lines: what can be shown of the line of the file, and a caret under the column."""
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
    """One thing that is wrong at one place of a file. A warning does not stop anything."""

    location: Location
    message: str
    warning: bool = False

    def __str__(self) -> str:
        """Three lines: place and message, the line of the file, a caret under the column."""
        severity = "warning: " if self.warning else ""
        return f"{self.location}: {severity}{printable(self.message)}\n{self.location.quoted()}"


def written_out(problems: Sequence[Problem]) -> str:
    """The first problems, each with its lines, and how many more there are."""
    lines = [str(problem) for problem in problems[:SHOWN_PROBLEMS]]
    if more := len(problems) - len(lines):
        lines.append(f"and {more:,} more".replace(",", " "))
    return "\n".join(lines)


class FileError(DvrError):
    """A file has problems; all that were found, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__(written_out(self.problems))
