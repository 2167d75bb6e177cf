"""Read and write the companion's own files, its notes; no other module does.

It replaces a note atomically: no reader sees half of one, and a full disk leaves the old one. A
note that is unreadable, or that no companion wrote so, counts as missing: then it is written again.
`news` reports it once. A note that cannot be written raises Unwritable.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO, TypeVar

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.errors import DvrError, HostError, is_exhaustion

UNFINISHED = Path(RUN_DIRECTORY, "unfinished")
"""Notes that are being written. A killed companion's leftovers here mean nothing."""
MEANINGLESS = (ValueError, TypeError, LookupError, AttributeError, RecursionError, DvrError)
"""The errors of a reader of a text that is no note."""

Meaning = TypeVar("Meaning")

_spoiled: dict[Path, str] = {}
"""Note → why it could not be read when that was tried last."""
_news: list[str] = []


class Unwritable(HostError):
    """A file of ours cannot be written: the disk is full, or may only be read."""

    def __init__(self, path: Path, error: OSError) -> None:
        super().__init__(f"cannot write {path}: {error.strerror}")
        self.reason = error.strerror or str(error)


# Reading ------------------------------------------------------------------------------------------


def text(path: Path) -> str | None:
    """The content of a note; None if it is missing, or counts as missing."""
    try:
        # A pipe at its path would block us for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with open(descriptor, encoding="utf-8") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                _note_spoiled(path, "it is no file")
                return None
            content = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        _note_spoiled(path, "it is no text")
        return None
    except OSError as error:
        if is_exhaustion(error):
            raise
        _note_spoiled(path, error.strerror or str(error))
        return None
    _spoiled.pop(path, None)
    return content


def meaning(path: Path, read: Callable[[str], Meaning]) -> Meaning | None:
    """The result of `read` on a note; None if the note is missing, or counts as missing."""
    was = _spoiled.get(path)
    content = text(path)
    if content is None:
        return None
    try:
        return read(content)
    except MEANINGLESS:
        reason = "no companion writes what it says" if content.strip() else "it is empty"
        if was:
            _spoiled[path] = was
        _note_spoiled(path, reason)
        return None


def _note_spoiled(path: Path, reason: str) -> None:
    if _spoiled.get(path) != reason:
        _spoiled[path] = reason
        _news.append(f"{path} cannot be read: {reason}; it counts as not there")


def news() -> list[str]:
    """A line for each note found to be spoiled since the last call."""
    found, _news[:] = [*_news], []
    return found


def is_spoiled(path: Path) -> bool:
    """Whether a note is there, and could not be read when that was tried last."""
    return path in _spoiled


def names(folder: Path) -> list[str]:
    """The names in a folder, sorted; none, if it is no folder."""
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        if is_exhaustion(error):
            raise
        return []


# Writing ------------------------------------------------------------------------------------------


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if is_exhaustion(error):
            raise
        raise Unwritable(path, error) from error


def replace(path: Path, text: str, first: Callable[[], object] | None = None) -> None:
    """Replace a file's content atomically. Raise Unwritable; then it has the old content.

    `first` is called when the text is on disk, before it replaces the old one: all that follows
    from the call is younger than the note.
    """
    folder(UNFINISHED)
    unfinished = UNFINISHED / path.name
    with _writing(path):
        _clear(unfinished, stat.S_ISREG)
        try:
            unfinished.write_text(text, encoding="utf-8")
            if first is not None:
                first()
            _clear(path, lambda mode: not stat.S_ISDIR(mode))
            os.replace(unfinished, path)
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise
    _spoiled.pop(path, None)


def touch(path: Path) -> None:
    """Make a file unless it exists. Raise Unwritable."""
    with _writing(path):
        _clear(path, stat.S_ISREG)
        path.touch()


def remove(path: Path) -> None:
    """Remove a note, or anything else at its path. Raise Unwritable."""
    with _writing(path):
        _clear(path, lambda mode: False)
    _spoiled.pop(path, None)


def folder(path: Path) -> None:
    """Make a folder unless it exists. Raise Unwritable."""
    with _writing(path):
        if not path.is_dir():
            _clear(path, stat.S_ISDIR)  # another thread may just have made it
            path.mkdir(parents=True, exist_ok=True)


def opened(path: Path) -> TextIO:
    """Open a file to lock it, and to write into it. Raise Unwritable."""
    with _writing(path):
        _clear(path, stat.S_ISREG)
        return open(path, "a+", encoding="utf-8", errors="replace")


def _clear(path: Path, may_stay: Callable[[int], bool]) -> None:
    """Remove the file at a path, unless its type may stay there."""
    with suppress(FileNotFoundError, NotADirectoryError):
        mode = os.lstat(path).st_mode
        if may_stay(mode):
            return
        if stat.S_ISDIR(mode):
            shutil.rmtree(path)
        else:
            os.unlink(path)


def below(root: Path, path: str) -> Path:
    """The path of a host's absolute path, if its files are below `root`."""
    return root / path.lstrip("/")


def tidy() -> None:
    """Remove unfinished notes."""
    remove(UNFINISHED)
