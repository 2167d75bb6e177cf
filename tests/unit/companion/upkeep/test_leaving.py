"""The time for which a host retains leaving instances. The loopback device stands for a port that
is up."""

from __future__ import annotations

import time

from attrs import evolve

from dvr_ryu.companion.upkeep.leaving import PATIENCE, Leaving
from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.placement import Retained
from tests.unit.topology.files import topology_file

BEFORE = Declaration(topology_file(), "t.yaml").topology
GONE: dict[str, tuple[str, ...]] = {"another": ("no-such-port",)}


def leaving(seconds_left: float) -> Leaving:
    deadline = time.monotonic() + seconds_left
    devices = {"a": ("no-such-port", "lo"), **GONE}
    return Leaving(Retained(devices, {"two": "no-such-port"}, BEFORE), deadline)


def test_what_is_shut_is_retained_no_more() -> None:
    stays = leaving(PATIENCE).still_here(lambda: False)
    assert stays is not None
    assert stays.retained == Retained({"a": ("no-such-port", "lo")}, {}, BEFORE)
    assert evolve(stays, retained=Retained(GONE, {}, BEFORE)).still_here(lambda: True) is None


def test_the_rest_is_retained_as_long_as_a_controller_is_there_to_shut_it() -> None:
    late = leaving(-1)
    assert late.still_here(lambda: False) is None
    stays = late.still_here(lambda: True)
    assert stays is not None and set(stays.retained.devices) == {"a"}
    assert stays.still_here(lambda: False) == stays
