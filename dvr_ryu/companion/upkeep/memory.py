"""The topology as it was applied last on this host. By it a companion that starts anew knows what
an edit has changed meanwhile. Nothing that is wanted depends on it.
"""

from __future__ import annotations

from pathlib import Path

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers import notes
from dvr_ryu.source import Source
from dvr_ryu.source.file import FileSnapshot
from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.spec.text_file import Unreadable

FILE = f"{RUN_DIRECTORY}/topology.yaml"


def remembered(version: str) -> Declaration | None:
    """What was applied last, if that is known and has another version than this."""

    def read(text: str) -> Declaration | None:
        last = FileSnapshot(text.encode(), FILE)
        return None if last.version == version else last.declaration()

    return notes.meaning(Path(FILE), read)


def is_remembered(source: Source, host: str) -> bool:
    """Whether what was applied last had a host of this name, and is not what `source` holds now."""
    try:
        last = remembered(source.read().version)
    except Unreadable:
        return False
    return last is not None and host in last.hosts


def remember(declaration: Declaration) -> None:
    """Note that all of a declaration holds on this host."""
    notes.replace(Path(FILE), declaration.text)
