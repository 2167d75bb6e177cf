"""Check whether the kernel has room for all neighbours of this host and its namespaces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dvr_ryu.companion.check.finding import Finding, passes, warns
from dvr_ryu.companion.providers.kernel import neighbour_table
from dvr_ryu.topology.view import HostView


def findings(view: HostView) -> Iterator[Finding]:
    """Yield the most that the view's host needs, where the kernel shows its limit."""
    limit = neighbour_table.limit()
    if limit is None:
        return
    topology = view.topology
    others = Counter(card.network for card in topology.cards)
    here = (card for card in topology.cards if card.host == view.host.name)
    needed = len(topology.hosts) + sum(others[card.network] for card in here)
    what = "neighbour table"
    if needed > limit:
        seen = f"room for {limit}, and up to {needed} are to come"
        yield warns(what, seen, neighbour_table.advice(needed))
    else:
        yield passes(what, f"room for {limit}, and at most {needed} are to come")
