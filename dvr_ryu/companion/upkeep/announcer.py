"""Repeats announcements of the addresses that came to this host, as long as they are here.

`Host.execute` makes the first announcement, which may come before the controller's flows.
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
    """The addresses to announce again."""

    def __init__(self, pause: float) -> None:
        """`pause`: seconds between two announcements."""
        self._again: Repeats[AnnouncedAddress] = Repeats(pause)
        self.introduced = False
        """Whether all that is here has been announced once."""

    def follow(self, done: HostChange, holding: Sequence[Resource]) -> None:
        """Announce due addresses again, and schedule those of a change; `holding` are the host's
        resources after it.
        """
        self.limit(holding)
        now = time.monotonic()
        for addresses in self._again.due(now):
            announce(addresses)
        self._again.add(announcements(done), now)

    def limit(self, desired: Sequence[Resource]) -> None:
        """Stop announcing addresses that are not desired here: another host has them, or none."""
        if self._again:
            ours = {*announceable(desired), *cards(desired)}
            self._again.limit(ours.__contains__)

    def introduce(self, holding: Sequence[Resource], declared: Sequence[Resource]) -> None:
        """Announce all addresses that are here and declared here, but not those only retained until
        they have arrived elsewhere.

        A companion before this one may have ended between making an address and announcing it.
        """
        ours = set(announceable(declared))
        addresses = [each for each in announceable(holding) if each in ours]
        announce(addresses)
        self._again.add(addresses, time.monotonic())
        self.introduced = True
