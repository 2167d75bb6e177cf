"""Read a topology from a file: the `Source` that people edit.

The version is the SHA-256 of its bytes, so a file that is saved unchanged is the same version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import frozen

from dvr_ryu.source.paths import PathWatch
from dvr_ryu.topology.loading import Declaration, declaration_of
from dvr_ryu.topology.spec.text_file import bytes_of, text_of

if TYPE_CHECKING:
    from dvr_ryu.source.notification import SaveNotifier


@frozen
class FileSnapshot:
    """The bytes that a file had; errors name it `file`."""

    data: bytes
    file: str

    @property
    def version(self) -> str:
        """The SHA-256 of the bytes, in hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()

    def declaration(self, before: Declaration | None = None) -> Declaration:
        """The bytes' declaration; it replaces `before`, which is in force. Raise FileError."""
        return declaration_of(text_of(self.data, self.file), self.file, before)


class FileSource:
    """A topology file, saved by any kind of editor."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._looks = PathWatch(lambda: [path])
        self._notifier: SaveNotifier | None = None

    @property
    def name(self) -> str:
        """The file's path, as the caller passed it."""
        return str(self.path)

    def read(self) -> FileSnapshot:
        """The file's bytes. Raise Unreadable."""
        return FileSnapshot(bytes_of(self.path), self.name)

    def changed(self) -> bool:
        """Whether the file was saved or replaced since the last call; True in the first one."""
        return self._looks.changed()

    def watch(self, changed: Callable[[], object]) -> str:
        """Call `changed`, in a thread of its own, when the file is saved; return the reason if that
        is impossible, else nothing. Processes with an event loop use `changed`.
        """
        # Imported here: its threads are the first of a process that may need none.
        from dvr_ryu.source.notification import SaveNotifier

        self._notifier = SaveNotifier(self.path, changed)
        return self._notifier.start()

    def end(self) -> None:
        """Stop watching."""
        if self._notifier:
            self._notifier.end()
