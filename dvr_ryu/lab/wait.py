"""Waits for a condition, never for a fixed time."""

from __future__ import annotations

import time
from collections.abc import Callable

from dvr_ryu.errors import HostError

_PAUSE = 0.05


def wait_until(
    predicate: Callable[[], bool],
    timeout: float,
    what: str,
    detail: Callable[[], str] = str,
) -> None:
    """Return as soon as `predicate` holds; after `timeout` seconds, HostError with `detail()`."""
    deadline = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > deadline:
            raise HostError(f"{what}: not within {timeout:g} s\n{detail()}".rstrip())
        time.sleep(_PAUSE)
