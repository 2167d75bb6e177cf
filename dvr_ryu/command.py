"""How the dvr command is called on this machine, for what people are told to type."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

_SUDO_FINDS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Folders where sudo looks for commands (sudoers' secure_path); a .venv is none of them."""


def dvr(arguments: str = "") -> str:
    """The command with these words behind it; by its path, where sudo would not find it."""
    started = Path(sys.argv[0])
    if started.name != "dvr":  # imported by another program
        started = Path(sys.executable).with_name("dvr")
    found = os.path.dirname(os.path.abspath(started)) in _SUDO_FINDS
    return f"{started.name if found else shlex.quote(str(started))} {arguments}".rstrip()


def as_typed() -> str:
    """The command line that was typed, whole."""
    return dvr(shlex.join(sys.argv[1:]))
