"""Locks on files: the kernel frees one when the last process that has the file open ends, or
becomes another program.
"""

from __future__ import annotations

import fcntl
import time

_STEP = 0.02


def locked_within(descriptor: int, seconds: float) -> bool:
    """Lock the open file exclusively, waiting up to this long; return whether that succeeded."""
    deadline = time.monotonic() + seconds
    while not _locked(descriptor):
        if time.monotonic() > deadline:
            return False
        time.sleep(_STEP)
    return True


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
