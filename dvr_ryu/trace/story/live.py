"""Tells whether the hosts decide as computed. Pure; the story has each departure at its step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dvr_ryu.topology.wording import listed
from dvr_ryu.trace.live.comparing import Comparison
from dvr_ryu.trace.story.lines import Level, Line


def of_comparisons(compared: Sequence[Comparison]) -> Iterator[Line]:
    """The lines at the end of a story whose hosts were asked."""
    asked = listed(dict.fromkeys(host for each in compared for host in each.asked))
    unasked = listed(dict.fromkeys(host for each in compared for host in each.unasked))
    departures = sum(len(each.departures) for each in compared)
    if departures:
        steps = "one step" if departures == 1 else f"{departures} steps"
        yield Line(Level.BAD, f"reality departs from this at {steps}: see the lines with LIVE")
    elif asked:
        yield Line(Level.GOOD, f"asked: {asked}; all decide as computed")
    if unasked:
        yield Line(Level.NOTE, f"not asked, because only that host itself can say: {unasked}")
