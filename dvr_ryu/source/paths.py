"""Notice that files were saved, replaced, added or removed, by one stat for each file.

It reads no file, starts no thread and does not wait, so it works under any event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

_Look: TypeAlias = "tuple[Path, int, int, int]"


class PathWatch:
    """The files at some paths, as the last call found them."""

    def __init__(self, paths: Callable[[], Iterable[Path]]) -> None:
        """`paths` names the files anew for each look: the files of a folder may come and go."""
        self._paths = paths
        self._seen: tuple[_Look, ...] | None = None

    def changed(self) -> bool:
        """Whether any file is another one than in the last call; True in the first call."""
        before, self._seen = self._seen, tuple(map(_look, self._paths()))
        return self._seen != before


def _look(file: Path) -> _Look:
    """The values that a save changes: path, time, size, inode; zeros if the file is gone."""
    try:
        stat = file.stat()
    except OSError:
        return file, 0, 0, 0
    return file, stat.st_mtime_ns, stat.st_size, stat.st_ino
