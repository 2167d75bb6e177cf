"""Tell which host of a topology a companion made of this machine. It only reads."""

from __future__ import annotations

import json
from contextlib import closing

from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.kernel import rights
from dvr_ryu.companion.providers.ovsdb.bridges import Ovsdb
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.upkeep.reporting import STATE_FILE


def host_here() -> str | None:
    """The host whose bridges are here, else the one of the last companion; None if there is none.

    Raise HostError without root, or if Open vSwitch does not answer.
    """
    rights.require()
    with closing(Database()) as database:
        owners = Ovsdb("", database).owners()
    return min(owners, default=None) or notes.meaning(STATE_FILE, _host_of)


def _host_of(state: str) -> str:
    return str(json.loads(state)["host"])
