"""Splits the text of a flow file into logical lines. Each character of a line has its location in
the file.

A logical line has no comment; the comment lines right above it are its sentence. A line that ends
in a backslash is joined with the next, as in a shell. The contents of a line are not parsed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from attrs import frozen

from dvr_ryu.errors import Location, Problem

_LINE_END = re.compile(r"\r\n?|\n")


class LineError(Exception):
    """A mistake on a logical line, at the character with this offset."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(message)
        self.offset = offset
        self.message = message


@frozen
class _Piece:
    """One line of the file in a logical line: the offset there, and the line and column in the
    file.
    """

    offset: int
    line: int
    column: int
    source: str


@frozen
class Line:
    """A logical line: its text without the indent, the indent, and the comment lines above it."""

    file: str
    text: str
    indent: int
    comments: tuple[str, ...]
    pieces: tuple[_Piece, ...]

    def location(self, offset: int) -> Location:
        """The location in the file of the character at `offset` of the text."""
        piece = next(each for each in reversed(self.pieces) if each.offset <= max(offset, 0))
        return Location(self.file, piece.line, piece.column + offset - piece.offset, piece.source)

    def problem(self, wrong: LineError) -> Problem:
        """The mistake on this line, at its location in the file."""
        return Problem(self.location(wrong.offset), wrong.message)


def logical_lines(text: str, file: str) -> Iterator[Line]:
    """The logical lines of a file's text. A comment above a blank line belongs to no line."""
    comments: list[str] = []
    pieces: list[_Piece] = []
    joined = ""
    for number, source in enumerate(_LINE_END.split(text), 1):
        content = _without_comment(source).rstrip()
        if not pieces and not content:
            if source.strip():
                comments.append(source.strip()[1:].strip())
            else:
                comments = []
            continue
        indent = 0 if pieces else len(content) - len(content.lstrip())
        pieces.append(_Piece(len(joined), number, indent + 1, source))
        joined += content[indent:].removesuffix("\\")
        if content.endswith("\\"):
            continue
        yield _line(file, joined, comments, pieces)
        comments, pieces, joined = [], [], ""
    if pieces:
        yield _line(file, joined, comments, pieces)


def _line(file: str, text: str, comments: list[str], pieces: list[_Piece]) -> Line:
    return Line(file, text.rstrip(), pieces[0].column - 1, tuple(comments), tuple(pieces))


def _without_comment(source: str) -> str:
    if "#" not in source:
        return source
    quoted = False
    for at, character in enumerate(source):
        if character == '"':
            quoted = not quoted
        elif character == "#" and not quoted:
            return source[:at]
    return source
