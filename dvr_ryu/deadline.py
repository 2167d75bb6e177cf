"""The seconds until a deadline, for waits that have it in common."""

from __future__ import annotations

import time


def seconds_left(deadline: float) -> float:
    """The seconds until a deadline of the monotonic clock; TimeoutError if it is over."""
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    return left
