"""Whose fault it is: the file, the host or the switch. Errors that people read, with the place and
what to do.

An error of ours is an ordinary exception with its traceback: it is not caught and has no class
here.
"""

from __future__ import annotations

from collections.abc import Iterable

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


@frozen(order=True)
class Place:
    """A character of a file: line and column count from 1; `source` is the whole line, without its
    end.
    """

    file: str
    line: int
    column: int
    source: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@frozen(order=True)
class Problem:
    """One thing that is wrong at one place of a file. A warning does not stop anything."""

    place: Place
    message: str
    warning: bool = False

    def __str__(self) -> str:
        """Three lines: place and message, the line of the file, a caret under the column."""
        word = "warning: " if self.warning else ""
        source = self.place.source.expandtabs(1)
        caret = " " * (self.place.column - 1) + "^"
        return f"{self.place}: {word}{self.message}\n  {source}\n  {caret}"


class FileError(DvrError):
    """A file has problems; all that were found, in the order of the file."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))
