"""Files of the companion's own: each is replaced whole, so that nobody ever reads half of one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dvr_ryu.companion.facts.kinds import RUN_DIRECTORY

UNFINISHED = Path(RUN_DIRECTORY, "unfinished")
"""What is being written, until it takes its place; what a killed companion leaves here is nothing.
"""


def replace(path: Path, text: str) -> None:
    """Give a file its new content, at one instant."""
    UNFINISHED.mkdir(parents=True, exist_ok=True)
    unfinished = UNFINISHED / path.name
    unfinished.write_text(text)
    os.replace(unfinished, path)


def below(root: Path, path: str) -> Path:
    """Where a host's absolute path is found, if its files are below `root`."""
    return root / path.lstrip("/")


def tidy() -> None:
    """Forget what was not finished."""
    shutil.rmtree(UNFINISHED, ignore_errors=True)
