"""Logs the actions of peers. After a while, like lines are counted, not repeated."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable

from dvr_ryu.switch.guard.identity import BridgeName, Peer
from dvr_ryu.switch.guard.repeats import Repeats

LOG = logging.getLogger("dvr_ryu")

MOST_BRIDGES = 1 << 16
"""The lines of so many bridges are counted for each bridge: a topology has no more."""
COMINGS = 20
"""So many lines a minute say that one bridge, or one of its ports, came or went."""

_of_peers = Repeats()
_of_bridges = Repeats(COMINGS, MOST_BRIDGES)


def log_peer(level: int, line: str, peer: Peer | None = None) -> None:
    """Log a line unless it was logged too often lately, for any port of the peer."""
    address = peer.address if peer else "here"
    kind = line.replace(str(peer), address)
    if _of_peers.first(address, kind, line, time.monotonic()):
        LOG.log(level, "%s", line)


def log_bridge(bridge: BridgeName, kind: str, line: str, more: Iterable[str] = ()) -> None:
    """Log that a bridge or its ports come or go, unless they do so all the time. Lines of one
    `kind` are counted together; `more` lines follow.
    """
    line = f"{bridge} {line}"
    if _of_bridges.first(str(bridge), kind, line, time.monotonic()):
        LOG.info("%s", "\n".join((line, *more)))


def log_counts() -> None:
    """Log how many lines were left out in the last minute. Call this about every second."""
    now = time.monotonic()
    for line in (*_of_peers.due(now), *_of_bridges.due(now)):
        LOG.warning("%s", line)
