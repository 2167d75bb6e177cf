"""Counts log lines that say the same of the same peer, so that nobody can flood a log. Pure.

The first few of a minute are to be printed; the others are counted, and one line tells how many.
What is remembered is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define

PRINTED = 10
"""Alike lines of one peer that are printed in a minute."""
SECONDS = 60.0
MOST_KINDS = 32
"""Kinds of lines of one peer that are told from each other."""
MOST_PEERS = 256
"""Peers that are told from each other."""

OTHERS = "other addresses"


@define
class _Count:
    since: float
    last: str
    seen: int = 0


class Repeats:
    """What was said of whom in the last minute. Times are seconds of any clock that only grows."""

    def __init__(self, printed: int = PRINTED, most_peers: int = MOST_PEERS) -> None:
        self._printed = printed
        self._most_peers = most_peers
        self._counts: dict[str, dict[str, _Count]] = {}

    def first(self, peer: str, kind: str, line: str, now: float) -> bool:
        """Whether this line about a peer is to be printed; if not, it is counted. Lines of one kind
        are alike.
        """
        if peer not in self._counts and len(self._counts) >= self._most_peers:
            peer = OTHERS
        of_peer = self._counts.setdefault(peer, {})
        if kind not in of_peer and len(of_peer) >= MOST_KINDS:
            kind = ""
        count = of_peer.setdefault(kind, _Count(now, line))
        count.seen += 1
        count.last = line
        return count.seen <= self._printed

    def due(self, now: float) -> Iterator[str]:
        """For what has been counted for a minute: a line each. Then it counts from 0."""
        for peer, of_peer in list(self._counts.items()):
            for kind, count in list(of_peer.items()):
                if now - count.since < SECONDS:
                    continue
                del of_peer[kind]
                if count.seen > self._printed:
                    more = f"{count.seen - self._printed:,}".replace(",", " ")
                    about = "" if peer in count.last else f"{peer}: "
                    yield f"{about}{count.last} ({more} more like this in the last minute)"
            if not of_peer:
                del self._counts[peer]
