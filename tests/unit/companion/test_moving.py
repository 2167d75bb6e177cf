"""How long a host keeps what leaves it. The loopback device stands for a port that is up."""

from __future__ import annotations

import time

from attrs import evolve

from dvr_ryu.companion.moving import PATIENCE, Leaving
from dvr_ryu.topology.loading import Declaration
from tests.unit.topology.files import topology_file

BEFORE = Declaration(topology_file(), "t.yaml").topology
GONE = {"another": "no-such-port"}


def leaving(seconds_left: float) -> Leaving:
    deadline = time.monotonic() + seconds_left
    return Leaving({"a": "lo", **GONE}, {"two": "no-such-port"}, BEFORE, deadline)


def test_what_is_shut_is_kept_no_more() -> None:
    stays = leaving(PATIENCE).still_here(lambda: False)
    assert stays is not None and (stays.devices, stays.tunnels) == ({"a": "lo"}, {})
    assert evolve(stays, devices=GONE).still_here(lambda: True) is None


def test_the_rest_is_kept_as_long_as_a_controller_is_there_to_shut_it() -> None:
    late = leaving(-1)
    assert late.still_here(lambda: False) is None
    stays = late.still_here(lambda: True)
    assert stays is not None and stays.devices == {"a": "lo"}
    assert stays.still_here(lambda: False) == stays
