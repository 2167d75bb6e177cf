"""How long it is until a bridge's flows are looked at again, or sent again. Pure."""

from __future__ import annotations

LOOK_SECONDS = 2.0
"""Pause between two looks at a bridge's flows, at least."""
LOOK_SHARE = 0.02
"""How much of the time is for looks: many bridges, or large ones, wait longer."""
LONGEST_PAUSE = 60.0
"""What each look that finds something wrong doubles the pause up to, until one does not: a switch
may not keep flows as they are given to it, and is not to be sent them for ever. What it refuses
is tried again after pauses that are doubled likewise: a group may be there by then. No pause is
longer: a look may have been slow for a moment only.
"""


def pause(least: float, look_seconds: float, bridges: int) -> float:
    """Seconds until the next look at a bridge's flows, if the last took so long, and so many
    bridges are looked at.
    """
    return min(max(least, look_seconds * bridges / LOOK_SHARE), LONGEST_PAUSE)
