"""Measures a scrape of the controller's metrics while a bridge has many flows. The peer reads the
same table from a socket and drops it.
"""

from __future__ import annotations

import re
import time
import urllib.request
from collections.abc import Iterator

from bench.figures import Figure, Goal, alternate, spaced
from bench.rig.controller import Controller
from bench.rig.testbed import Testbed, connections, testbed
from bench.rig.topologies import BRIDGE, fabric_of
from dvr_ryu.metrics.exposition import FRESH_SECONDS
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.switch.pauses import LONGEST_PAUSE

HOSTS, NETWORKS, FLOWS = 50, 100, 20_000
ROUNDS = 5

_DUMPS = re.compile(r'dvr_step_seconds_count\{step="dump"\} (\d+)')


def measure() -> Iterator[Figure]:
    """The figures in ms."""
    topology = fabric_of(FLOWS, HOSTS, NETWORKS, load_pipelines(flows_dir()))
    with testbed(topology) as bed, bed.controller() as controller:
        yield from _Scrapes(bed, controller).figures()


class _Scrapes:
    """Scrapes a controller that has one filled bridge."""

    def __init__(self, bed: Testbed, controller: Controller) -> None:
        self._bed = bed
        self._controller = controller
        page = re.search(r"page at (\S+)", controller.wait_for("page at "))
        assert page
        self._url = f"{page[1]}metrics"
        self._without: list[float] = []

    def figures(self) -> Iterator[Figure]:
        first, later, dumped = (
            1000 * each for each in alternate(ROUNDS, self._first, self._with_a_dump, self._dump)
        )
        what, peer = f"scrape, {spaced(FLOWS)} flows", "the table, read from a socket"
        yield Figure(what, "ms", later, dumped, peer, Goal(4))
        yield Figure(f"{what}: the first after a change", "ms", first, dumped, peer)
        between = 1000 * sorted(self._without)[len(self._without) // 2]
        yield Figure(f"{what}: between two dumps", "ms", between, dumped, peer, Goal(1))

    def _first(self) -> float:
        """The seconds of a scrape that attributes all flows to lines."""
        mark = self._controller.mark()
        self._bed.switch.connect(self._controller.target, BRIDGE)
        self._controller.in_sync(mark)
        return self._with_a_dump()

    def _with_a_dump(self) -> float:
        """The seconds of the next scrape for which the bridge's flows were dumped. A scrape's text
        counts the dumps before it.
        """
        deadline = time.monotonic() + 2 * LONGEST_PAUSE
        dumps, seconds = self._scrape()
        while time.monotonic() < deadline:
            time.sleep(FRESH_SECONDS)
            later, later_seconds = self._scrape()
            if later > dumps:
                return seconds
            self._without.append(seconds)
            dumps, seconds = later, later_seconds
        raise TimeoutError("no scrape dumps the flows")

    def _scrape(self) -> tuple[int, float]:
        """The number of dumps before a scrape, and its seconds."""
        began = time.monotonic()
        with urllib.request.urlopen(self._url) as answer:
            text = answer.read().decode()
        seconds = time.monotonic() - began
        found = _DUMPS.search(text)
        assert found
        return int(float(found[1])), seconds

    def _dump(self) -> float:
        with connections(self._bed.switch, BRIDGE) as (connection,):
            return connection.dump()
