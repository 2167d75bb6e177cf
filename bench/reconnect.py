"""Measures the reconnection of a filled bridge: the controller reads and compares its flows, and
sends nothing. The peer reads the same table from a socket and drops it.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench.figures import Figure, Goal, alternate, spaced
from bench.rig.controller import Controller
from bench.rig.openflow import flow_mods
from bench.rig.testbed import Testbed, connections, relay_to, testbed
from bench.rig.topologies import BRIDGE, fabric_of
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir

HOSTS, NETWORKS, FLOWS = 50, 100, 20_000
ROUNDS = 5


def measure() -> Iterator[Figure]:
    """The figures: ms, and a number of flow-mods."""
    with testbed(fabric_of(FLOWS, HOSTS, NETWORKS, load_pipelines(flows_dir()))) as bed:
        _fill(bed)
        with bed.controller() as controller:
            yield from _Reconnect(bed, controller).figures()


def _fill(bed: Testbed) -> None:
    with bed.controller() as controller:
        bed.switch.connect(controller.target, BRIDGE)
        controller.in_sync()


class _Reconnect:
    """Connects a filled bridge to a controller that keeps running, to a new one, and to a
    socket.
    """

    def __init__(self, bed: Testbed, staying: Controller) -> None:
        self._bed = bed
        self._switch = bed.switch
        self._staying = staying
        self._flow_mods = 0

    def figures(self) -> Iterator[Figure]:
        # The controller then has already computed the desired flows.
        self._connect(self._staying)
        measures = self._come_back, self._restart, self._dump
        came_back, restarted, dumped = (1000 * each for each in alternate(ROUNDS, *measures))
        what, peer = f"{spaced(FLOWS)} flows", "the table, read from a socket"
        yield Figure(f"bridge comes back with {what}", "ms", came_back, dumped, peer, Goal(4))
        yield Figure(f"controller restarts, {what}", "ms", restarted, dumped, peer)
        yield Figure("flow-mods for it", "", self._flow_mods, goal=Goal(0, absolute=True))

    def _come_back(self) -> float:
        return self._connect(self._staying)

    def _restart(self) -> float:
        with self._bed.controller() as controller:
            return self._connect(controller)

    def _connect(self, controller: Controller) -> float:
        """The seconds from the request for all flows on the relay to "nothing to change"."""
        self._switch.rest()
        mark = controller.mark()
        with relay_to(controller) as relay:
            self._switch.connect(relay.target, BRIDGE)
            done = controller.in_sync(mark)
            (tape,) = relay.tapes
        assert done.flows == FLOWS, done
        self._flow_mods += flow_mods(tape.changes())
        return done.at - tape.requested_flows()

    def _dump(self) -> float:
        with connections(self._switch, BRIDGE) as (connection,):
            return connection.dump()
