"""Measures how long an empty br-tun takes to get all its flows; the peers are ovs-ofctl, and the
same bytes on a socket.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, Goal, alternate, spaced
from bench.rig.relay import Tape
from bench.rig.testbed import Testbed, connections, relay_to, testbed
from bench.rig.topologies import BRIDGE, fabric_of
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir

HOSTS, NETWORKS = 50, 100
ROUNDS = {20_000: 9, 50_000: 7}
"""Flows → number of rounds."""

MEMORY_AT = 50_000
SLOW_PEER_AT = 20_000

_OPENFLOW = ("-O", "OpenFlow14")


def measure() -> Iterator[Figure]:
    """The figures, in ms and MiB."""
    pipelines = load_pipelines(flows_dir())
    for flows, rounds in ROUNDS.items():
        with testbed(fabric_of(flows, HOSTS, NETWORKS, pipelines)) as bed:
            yield from _Fill(bed, flows).figures(rounds)


class _Fill:
    """Fills one bridge in different ways; each empties the bridge afterwards."""

    def __init__(self, bed: Testbed, flows: int) -> None:
        self._bed = bed
        self._switch = bed.switch
        self._flows = flows
        self._reported, self._tape = self._record()
        self._bytes = self._tape.changes()
        self._lines = self._dumped_lines()
        self._peak_memory = 0.0
        self._switch.empty(BRIDGE)

    def figures(self, rounds: int) -> Iterator[Figure]:
        what = f"fill {spaced(self._flows)} flows"
        measures = self._ours, self._raw, self._bundle
        ours, raw, bundle = (1000 * each for each in alternate(rounds, *measures))
        yield Figure(what, "ms", ours, raw, "the same bytes, written to a socket", Goal(1.3))
        yield Figure(what, "ms", ours, bundle, "ovs-ofctl --bundle add-flows", Goal(1))
        if self._flows == SLOW_PEER_AT:
            (slow,) = alternate(1, self._one_by_one)
            yield Figure(what, "ms", ours, 1000 * slow, "ovs-ofctl add-flows")
        seen = 1000 * (self._tape.passed_barrier() - self._tape.sent_flows())
        watched = f"{what}: watched from outside"
        yield Figure(watched, "ms", seen, self._reported, "the controller's word for the same fill")
        if self._flows == MEMORY_AT:
            limit = Goal(250, absolute=True)
            yield Figure(f"{what}: peak memory", "MiB", self._peak_memory, goal=limit)

    def _record(self) -> tuple[float, Tape]:
        """Fill the bridge through a relay; return the milliseconds that the controller reports, and
        the recorded messages.
        """
        with self._bed.controller() as controller, relay_to(controller) as relay:
            self._switch.connect(relay.target, BRIDGE)
            done = controller.in_sync()
            assert done.flows == self._flows and done.milliseconds is not None, done
            (tape,) = relay.tapes
            return done.milliseconds, tape

    def _ours(self) -> float:
        """Each time a new controller fills the bridge, so that it remembers nothing."""
        with self._bed.controller() as controller:
            self._switch.rest()
            self._switch.connect(controller.target, BRIDGE)
            done = controller.in_sync()
            assert done.flows == self._flows and done.milliseconds is not None, done
            self._peak_memory = max(self._peak_memory, controller.peak_memory())
        self._switch.empty(BRIDGE)
        return done.milliseconds / 1000

    def _raw(self) -> float:
        with connections(self._switch, BRIDGE) as (connection,):
            seconds = connection.write(self._bytes)
        self._switch.empty(BRIDGE)
        return seconds

    def _bundle(self) -> float:
        return self._add_flows(*_OPENFLOW, "--bundle")

    def _one_by_one(self) -> float:
        return self._add_flows(*_OPENFLOW)

    def _add_flows(self, *options: str) -> float:
        """Fill the bridge by ovs-ofctl; the whole process counts."""
        started = time.perf_counter()
        self._switch.run("ovs-ofctl", *options, "add-flows", BRIDGE, str(self._lines))
        seconds = time.perf_counter() - started
        assert self._switch.count(BRIDGE) == self._flows
        self._switch.empty(BRIDGE)
        return seconds

    def _dumped_lines(self) -> Path:
        """Write the flows of the bridge to a file for ovs-ofctl."""
        file = self._switch.folder / "dumped.flows"
        lines = self._switch.flows(BRIDGE, *_OPENFLOW, "--no-names")
        assert len(lines) == self._flows, f"{len(lines)} flows"
        file.write_text("".join(f"{line}\n" for line in lines))
        return file
