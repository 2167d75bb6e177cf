"""Measures how long it takes to add, move or remove an instance of another host, in bridges of four
sizes.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack
from statistics import median

from attrs import field, frozen

from bench.figures import Figure, Goal, spaced
from bench.rig.controller import Controller
from bench.rig.openflow import flow_mods
from bench.rig.testbed import Testbed, relay_to, testbed
from bench.rig.topologies import BRIDGE, Instance, fabric_of, host, network
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.changes import compare
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.view import HostView

# So few that each network is on each host at any size: a change adds no port to flood to.
HOSTS, NETWORKS = 10, 10
SIZES = (1_000, 5_000, 20_000, 50_000)
ROUNDS = 11

# Its name is last in order, so that it takes no number from another instance.
_ON_HOST_1 = Instance("wanderer", host(1), network(0))
_ON_HOST_2 = Instance("wanderer", host(2), network(0))
EDITS = {"added": _ON_HOST_1.line(), "moved": _ON_HOST_2.line(), "removed": ""}
"""Change of an instance → the last line of the file after it."""


@frozen
class _Durations:
    """The durations of edits of one kind at one size, in ms."""

    change: list[float] = field(factory=list)
    reading: list[float] = field(factory=list)
    whole: list[float] = field(factory=list)


def measure() -> Iterator[Figure]:
    """The figures: ms, and numbers of flow-mods."""
    pipelines = load_pipelines(flows_dir())
    texts = {size: fabric_of(size, HOSTS, NETWORKS, pipelines) for size in SIZES}
    with ExitStack() as stack:
        sizes = {size: _Size(stack, text) for size, text in texts.items()}
        for _ in range(ROUNDS):
            for each in sizes.values():
                each.take_a_round()
        yield from _times(sizes)
        yield from _comparisons(texts)
        yield from _counts(sizes, _expected(texts[SIZES[0]], pipelines))


class _Size:
    """A controller and its bridge, in sync, whose topology file is edited."""

    def __init__(self, stack: ExitStack, text: str) -> None:
        self.durations: dict[str, _Durations] = defaultdict(_Durations)
        self._text = text
        self._bed: Testbed = stack.enter_context(testbed(text))
        self._controller: Controller = stack.enter_context(self._bed.controller())
        self._connect(self._controller.target)

    def take_a_round(self) -> None:
        """Make each edit once, and note its durations."""
        for kind, last_line in EDITS.items():
            mark, saved = self._controller.mark(), time.time()
            self._bed.topology.write_text(self._text + last_line)
            done = self._controller.in_sync(mark)
            assert done.milliseconds is not None, f"nothing to change when one is {kind}"
            durations = self.durations[kind]
            durations.change.append(done.milliseconds)
            durations.reading.append(1000 * (self._controller.time_of("topology ", mark) - saved))
            durations.whole.append(1000 * (done.at - saved))

    def counts(self) -> dict[str, int]:
        """The number of flow-mods of each edit, which a relay counts."""
        sent: dict[str, int] = {}
        with relay_to(self._controller) as relay:
            self._connect(relay.target)
            (tape,) = relay.tapes
            before = 0
            for kind, last_line in EDITS.items():
                mark = self._controller.mark()
                self._bed.topology.write_text(self._text + last_line)
                self._controller.in_sync(mark)
                so_far = flow_mods(tape.changes())
                sent[kind], before = so_far - before, so_far
        return sent

    def _connect(self, target: str) -> None:
        mark = self._controller.mark()
        self._bed.switch.connect(target, BRIDGE)
        self._controller.in_sync(mark)


def _times(sizes: dict[int, _Size]) -> Iterator[Figure]:
    least, *larger = sizes
    at_least = f"the same at {spaced(least)} flows"
    for kind in EDITS:
        durations = {size: median(each.durations[kind].change) for size, each in sizes.items()}
        for size in larger:
            what = f"one instance {kind}, {spaced(size)} flows"
            yield Figure(what, "ms", durations[size], durations[least], at_least, Goal(1.5))
    for size, each in sizes.items():
        whole = median(ms for durations in each.durations.values() for ms in durations.whole)
        reading = median(ms for durations in each.durations.values() for ms in durations.reading)
        what = f"saved edit to barrier, {spaced(size)} flows"
        yield Figure(what, "ms", whole, reading, "of it, until the file is read")


def _comparisons(texts: dict[int, str]) -> Iterator[Figure]:
    for size, text in texts.items():
        before, after = parse_topology(text, "was"), parse_topology(text + _ON_HOST_1.line(), "is")
        durations = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            compare(before, after)
            durations.append(1000 * (time.perf_counter() - began))
        what = f"finding what was edited, {spaced(size)} flows"
        yield Figure(what, "ms", median(durations))


def _counts(sizes: dict[int, _Size], expected: dict[str, int]) -> Iterator[Figure]:
    counts = [each.counts() for each in sizes.values()]
    for kind in EDITS:
        sent = max(count[kind] for count in counts)
        what = f"flow-mods for one instance {kind}, at any size"
        yield Figure(what, "", sent, expected[kind], "flows that differ", Goal(1))


def _expected(text: str, pipelines: Pipelines) -> dict[str, int]:
    """The number of flows that each edit changes in the output of dvr flows."""
    expected: dict[str, int] = {}
    before = _lines(text, pipelines)
    for kind, last_line in EDITS.items():
        after = _lines(text + last_line, pipelines)
        expected[kind] = len({line.partition(" actions=")[0] for line in before ^ after})
        before = after
    return expected


def _lines(text: str, pipelines: Pipelines) -> set[str]:
    return set(pipelines.lines(BRIDGE, HostView(parse_topology(text, "generated"), host(0))))
