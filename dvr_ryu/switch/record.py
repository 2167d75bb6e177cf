"""Records what became of each bridge, through all its connections, for those that watch. Pure.

Nothing here decides anything. Times are seconds since the epoch.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Collection, Sequence

from attrs import define, field, frozen

from dvr_ryu.switch.guard.identity import BridgeName, Peer

MOST_CHANGES = 32
"""So many changes of a bridge are remembered."""


@frozen
class FlowEdit:
    """A change of a bridge's flows: one line about it, and the lines of its difference."""

    time: float
    summary: str
    lines: Sequence[str]


@define
class BridgeRecord:
    """What became of a bridge of the topology."""

    peer: Peer | None = None
    """The other end of its connection; None if it is not connected."""
    since: float = field(factory=lambda: time.time())
    """Since when it is connected or not."""
    in_sync_since: float | None = None
    """When its flows became the desired ones; None if they are not, as far as is known."""
    flows: int = 0
    """The number of its flows of ours, when it was in sync last."""
    error: str = ""
    """The last error; it stays when the bridge is in sync again."""
    error_time: float = 0.0
    summary: str = ""
    """One line about the last time that its flows were compared with the desired ones."""
    changes: deque[FlowEdit] = field(factory=lambda: deque(maxlen=MOST_CHANGES))

    def connected(self, peer: Peer) -> None:
        """Note that the bridge has connected."""
        self.peer, self.since, self.in_sync_since = peer, time.time(), None

    def disconnected(self, reason: str) -> None:
        """Note that its connection has ended; `reason` is empty if the switch closed it."""
        self.peer, self.since, self.in_sync_since = None, time.time(), None
        if reason:
            self.fails(reason)

    def fails(self, reason: str) -> None:
        """Note an error."""
        self.error, self.error_time = reason, time.time()

    def synced(self, flows: int, summary: str, lines: Sequence[str], changed: bool) -> None:
        """Note that the bridge has its flows, and whether they had to be changed."""
        now = time.time()
        self.flows, self.summary = flows, summary
        if changed:
            self.changes.append(FlowEdit(now, summary, lines))
        if changed or self.in_sync_since is None:
            self.in_sync_since = now


class Records:
    """The record of each bridge."""

    def __init__(self) -> None:
        self._by_name: dict[BridgeName, BridgeRecord] = {}

    def of(self, name: BridgeName) -> BridgeRecord:
        """The record of a bridge; a new one if nothing is known of it."""
        return self._by_name.setdefault(name, BridgeRecord())

    def retain(self, hosts: Collection[str]) -> None:
        """Forget the bridges of all other hosts."""
        for name in [name for name in self._by_name if name.host not in hosts]:
            del self._by_name[name]
