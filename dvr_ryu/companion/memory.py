"""The file as it was applied last on this host: by that a companion that starts anew knows what an
edit has changed meanwhile. Nothing that is wanted depends on it.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from dvr_ryu.companion.edges.files import replace
from dvr_ryu.companion.facts.kinds import RUN_DIRECTORY
from dvr_ryu.errors import DvrError
from dvr_ryu.topology.loading import Declaration, load_declaration

FILE = f"{RUN_DIRECTORY}/topology.yaml"


def remembered(file: Path) -> Declaration | None:
    """What was applied last, if that is known, and not what `file` says now."""
    memory = Path(FILE)
    with suppress(OSError, DvrError):
        if memory.read_bytes() != file.read_bytes():
            return load_declaration(memory)
    return None


def remember(declaration: Declaration) -> None:
    """All of it holds on this host now."""
    replace(Path(FILE), declaration.text)
