"""The log of what peers do: one line each, and counted, not repeated, where lines are alike."""

from __future__ import annotations

import logging
import time

from dvr_ryu.switch.guard.repeats import Repeats

LOG = logging.getLogger("dvr_ryu")

_repeats = Repeats()


def tell(level: int, address: str, line: str) -> None:
    """Log a line about a peer at this address, unless it was said too often of it lately."""
    if _repeats.first(address, line, time.monotonic()):
        LOG.log(level, "%s", line)


def tell_counts() -> None:
    """Log how many lines were left out in the last minute. To be called every second or so."""
    for line in _repeats.due(time.monotonic()):
        LOG.warning("%s", line)
