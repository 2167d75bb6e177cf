"""Store the topology applied last on this host. A restarted companion derives from it the edits
made meanwhile. No desired resource depends on it.
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
    """The declaration applied last, if it is known and has another version than this."""

    def read(text: str) -> Declaration | None:
        last = FileSnapshot(text.encode(), FILE)
        return None if last.version == version else last.declaration()

    return notes.meaning(Path(FILE), read)


def is_remembered(source: Source, host: str) -> bool:
    """Whether the declaration applied last had a host of this name, and differs from that of
    `source`."""
    try:
        last = remembered(source.read().version)
    except Unreadable:
        return False
    return last is not None and host in last.hosts


def remember(declaration: Declaration) -> None:
    """Note that all of a declaration holds on this host."""
    notes.replace(Path(FILE), declaration.text)
