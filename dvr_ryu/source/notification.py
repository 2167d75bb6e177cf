"""Report the save of a file by the kernel's inotify: at once, in a thread of its own.

It only calls; it does not read the file or look for changes in it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from dvr_ryu.errors import is_exhaustion


class SaveNotifier(FileSystemEventHandler):
    """Calls `saved` when any kind of editor saves a file."""

    def __init__(self, path: Path, saved: Callable[[], object]) -> None:
        self._path = str(path.absolute())
        self._saved = saved
        self._observer = Observer()
        self._observer.schedule(self, str(path.absolute().parent))

    def start(self) -> str:
        """Begin; return the reason if that is impossible, else nothing."""
        try:
            self._observer.start()
        except OSError as error:
            if is_exhaustion(error):
                raise
            return error.strerror or str(error)
        return ""

    def end(self) -> None:
        """Stop calling."""
        self._observer.stop()

    def on_any_event(self, event: FileSystemEvent) -> None:
        """Heed the file itself, written or renamed to its name."""
        if event.event_type in ("created", "modified", "moved", "deleted") and self._path in (
            event.src_path,
            event.dest_path,
        ):
            self._saved()
