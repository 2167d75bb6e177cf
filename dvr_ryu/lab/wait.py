"""Waits for a condition, never for a fixed time."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from dvr_ryu.errors import HostError

SLOWNESS = "DVR_SLOWNESS"
"""An environment variable: the factor by which this machine is slower than labs expect, because
qemu emulates its processor. Every timeout of a lab is so many times as long."""

_PAUSE = 0.05


def timeout_here(seconds: float) -> float:
    """The timeout on this machine that is `seconds` on others."""
    return seconds * float(os.environ.get(SLOWNESS, "1"))


def wait_until(
    predicate: Callable[[], bool],
    timeout: float,
    what: str,
    detail: Callable[[], str] = str,
) -> None:
    """Return as soon as `predicate` holds; after `timeout` seconds, HostError with `detail()`."""
    deadline = time.monotonic() + (timeout := timeout_here(timeout))
    while True:
        began = time.monotonic()
        if predicate():
            return
        if (now := time.monotonic()) > deadline:
            raise HostError(f"{what}: not within {timeout:g} s\n{detail()}".rstrip())
        # On a slow machine a look takes long, from what it waits for: at most half of the time.
        time.sleep(max(_PAUSE, now - began))
