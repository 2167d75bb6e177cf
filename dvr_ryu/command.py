"""Build the dvr command line for this machine, for advice to the user."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

_SUDO_FINDS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""The folders where sudo looks for commands (secure_path of sudoers); no .venv is among them."""


def dvr(arguments: str = "") -> str:
    """The command with these arguments; with its path if sudo would not find it."""
    started = Path(sys.argv[0])
    if started.name != "dvr":  # imported by another program
        started = Path(sys.executable).with_name("dvr")
    found = os.path.dirname(os.path.abspath(started)) in _SUDO_FINDS
    return f"{started.name if found else shlex.quote(str(started))} {arguments}".rstrip()


def as_typed() -> str:
    """The whole command line of this process."""
    return dvr(shlex.join(sys.argv[1:]))
