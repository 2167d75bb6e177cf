"""Compute the pause before the controller reads a bridge's flows, or sends them, again. Pure."""

from __future__ import annotations

LOOK_SECONDS = 2.0
"""The shortest pause between two looks at a bridge's flows."""
LOOK_SHARE = 0.02
"""Looks take no more than this part of the time: many bridges, or large ones, wait longer."""
LONGEST_PAUSE = 60.0
"""The longest pause. Each look that finds wrong flows doubles the pause: a switch may change flows
that it gets, and must not get them again all the time. The pause before flows that the switch has
refused are sent again is doubled likewise: a group that they name may be there by then. No pause is
longer, for one look may have been slow by chance.
"""


def pause(least: float, look_seconds: float, bridges: int) -> float:
    """Seconds until the next look at a bridge's flows, after a look of `look_seconds`, where so
    many `bridges` are connected.
    """
    return min(max(least, look_seconds * bridges / LOOK_SHARE), LONGEST_PAUSE)
