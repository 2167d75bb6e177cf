"""Decode a file's bytes to printable text: UTF-8, without control characters.

Only this module reads the files that people write. It does not interpret their text.
"""

from __future__ import annotations

import re
from pathlib import Path

from dvr_ryu.errors import DvrError, FileError, Location, Problem

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Control characters, which YAML does not allow, either: they control a terminal."""
_LINE_END = re.compile("\r\n|[\n\r\x85\u2028\u2029]")


class Unreadable(DvrError):
    """A file cannot be read; a later attempt may succeed without a save."""


def read_text(path: str | Path) -> str:
    """The text of a file, without a byte order mark. Raise FileError with the location of bytes
    that are no text; Unreadable if the file cannot be read.
    """
    return text_of(bytes_of(path), str(path))


def bytes_of(path: str | Path) -> bytes:
    """The bytes of a file, which may be no text. Raise Unreadable if the file cannot be read."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        message = f"{path}: cannot be read: {error.strerror}; name a file that can be"
        raise Unreadable(message) from None


def text_of(data: bytes, file: str) -> str:
    """The text in the bytes of a file, as `read_text` returns it; errors name it `file`. Raise
    FileError.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        before = data[: error.start].decode()
        whole = before + data[error.start :].decode(errors="replace")
        raise _wrong(
            whole, len(before), file, "is not UTF-8 text; save the file as UTF-8"
        ) from None
    text = text.removeprefix("\ufeff")
    require_printable(text, file)
    return text


def require_printable(text: str, file: str) -> None:
    """Raise FileError with the location of the first character that YAML does not allow."""
    unprintable = _UNPRINTABLE.search(text)
    if unprintable:
        message = f"a control character (U+{ord(unprintable[0]):04X}); remove it"
        raise _wrong(text, unprintable.start(), file, message)


def lines_of(text: str) -> list[str]:
    """The lines of a text, without their ends."""
    return _LINE_END.split(text)


def _wrong(text: str, offset: int, file: str, message: str) -> FileError:
    before = lines_of(text[:offset])
    line = lines_of(text)[len(before) - 1]
    return FileError([Problem(Location(file, len(before), len(before[-1]) + 1, line), message)])
