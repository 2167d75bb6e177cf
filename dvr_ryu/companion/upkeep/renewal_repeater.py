"""Makes DHCP clients ask again: their server on another host may have read the topology later."""

from __future__ import annotations

import time
from collections.abc import Collection

from dvr_ryu.companion.change import HostChange
from dvr_ryu.companion.providers.processes.renewals import Renewals
from dvr_ryu.companion.resources.dhcp.renewal import Renewal
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.upkeep.repeats import Repeats


class RenewalRepeater:
    """The clients that are to ask again."""

    def __init__(self, pause: float) -> None:
        """`pause`: seconds between two requests."""
        self._again: Repeats[Renewal] = Repeats(pause)

    def follow(self, done: HostChange, holding: Collection[Resource]) -> None:
        """Make due clients ask whose renewal still holds, and schedule those of a change."""
        now = time.monotonic()
        for due in self._again.due(now):
            Renewals().make([each for each in due if each in holding])
        asked = [each.new for each in done.changed if isinstance(each.new, Renewal)]
        self._again.add(asked, now)
