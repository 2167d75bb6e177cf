"""Announces again the addresses that came to this host, as long as they are here.

The first announcement is the writer's (`Host.execute`); it may come before the controller's flows.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from dvr_ryu.companion.change import HostChange
from dvr_ryu.companion.providers.kernel.announce import (
    AnnouncedAddress,
    announce,
    announceable,
    announcements,
    cards,
)
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.upkeep.repeats import Repeats


class Announcer:
    """What is to be announced again."""

    def __init__(self, pause: float) -> None:
        """`pause`: seconds between two announcements."""
        self._again: Repeats[AnnouncedAddress] = Repeats(pause)
        self.introduced = False
        """Whether all that is here has been announced once."""

    def follow(self, done: HostChange, holding: Sequence[Resource]) -> None:
        """Announce again what is due, and from now on what a change has made; `holding` is what
        holds on the host after it.
        """
        self.limit(holding)
        now = time.monotonic()
        for addresses in self._again.due(now):
            announce(addresses)
        self._again.add(announcements(done), now)

    def limit(self, desired: Sequence[Resource]) -> None:
        """Announce no longer what this host should not have: another host has it, or none."""
        if self._again:
            ours = {*announceable(desired), *cards(desired)}
            self._again.limit(ours.__contains__)

    def introduce(self, holding: Sequence[Resource], declared: Sequence[Resource]) -> None:
        """Announce all that is here and declared here. What is only retained until it has
        arrived elsewhere is not announced.

        A companion before this one may have ended between making an address and announcing it.
        """
        ours = set(announceable(declared))
        addresses = [each for each in announceable(holding) if each in ours]
        announce(addresses)
        self._again.add(addresses, time.monotonic())
        self.introduced = True
