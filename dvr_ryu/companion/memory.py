"""The file as it was applied last on this host: by that a companion that starts anew knows what an
edit has changed meanwhile. Nothing that is wanted depends on it.
"""

from __future__ import annotations

from pathlib import Path

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers import notes
from dvr_ryu.topology.loading import Declaration, restored

FILE = f"{RUN_DIRECTORY}/topology.yaml"


def remembered(file: Path) -> Declaration | None:
    """What was applied last, if that is known, and not what `file` says now."""

    def read(text: str) -> Declaration | None:
        if text.encode() == file.read_bytes():
            return None
        return restored(text, FILE)

    try:
        return notes.meaning(Path(FILE), read)
    except OSError:  # what it says now is told of by its reader
        return None


def is_remembered(file: Path, host: str) -> bool:
    """Whether what was applied last had a host of this name, and is not what `file` says now."""
    last = remembered(file)
    return last is not None and host in last.hosts


def remember(declaration: Declaration) -> None:
    """All of it holds on this host now."""
    notes.replace(Path(FILE), declaration.text)
