"""Counts like log lines of one peer, so that a peer cannot flood the log. Pure.

The first few lines of a minute are printed; the others are counted, and one line gives the number.
The memory is bounded.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import define

PRINTED = 10
"""So many like lines of one peer are printed in a minute."""
SECONDS = 60.0
MOST_KINDS = 32
"""So many kinds of lines of one peer are counted apart."""
MOST_PEERS = 256
"""So many peers are counted apart."""

OTHERS = "other addresses"


@define
class _Count:
    since: float
    last: str
    seen: int = 0


class Repeats:
    """The lines of each peer in the last minute. Times are seconds of a clock that only grows."""

    def __init__(self, printed: int = PRINTED, most_peers: int = MOST_PEERS) -> None:
        self._printed = printed
        self._most_peers = most_peers
        self._counts: dict[str, dict[str, _Count]] = {}

    def first(self, peer: str, kind: str, line: str, now: float) -> bool:
        """Whether to print this line about a peer; if not, it is counted. Lines of one `kind` count
        together.
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
        """Yield a line for each count that is a minute old; then that count begins at 0."""
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
