"""The log of what peers do: one line each, and counted, not repeated, where lines are alike."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from dvr_ryu.switch.guard.identity import BridgeName, Peer
from dvr_ryu.switch.guard.repeats import Repeats

LOG = logging.getLogger("dvr_ryu")

MOST_BRIDGES = 1 << 16
"""Bridges whose lines are told from each other: all that a topology has."""
COMINGS = 20
"""How often in a minute the log tells that one bridge came or went, or that its ports did."""

_of_peers = Repeats()
_of_bridges = Repeats(COMINGS, MOST_BRIDGES)


def tell(level: int, line: str, peer: Peer | None = None) -> None:
    """Log a line, unless it was said too often lately; of any port of the peer that it is about."""
    address = peer.address if peer else "here"
    kind = line.replace(str(peer), address)
    if _of_peers.first(address, kind, line, time.monotonic()):
        LOG.log(level, "%s", line)


def tell_coming(bridge: BridgeName, kind: str, line: str, more: Iterable[str] = ()) -> None:
    """Log how a bridge or its ports come or go, unless they do so all the time. `kind` says what of
    it; `more` are lines that follow.
    """
    line = f"{bridge} {line}"
    if _of_bridges.first(str(bridge), kind, line, time.monotonic()):
        LOG.info("%s", "\n".join((line, *more)))


def tell_counts() -> None:
    """Log how many lines were left out in the last minute. To be called every second or so."""
    now = time.monotonic()
    for line in (*_of_peers.due(now), *_of_bridges.due(now)):
        LOG.warning("%s", line)
