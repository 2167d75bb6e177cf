"""Measures how long 200 bridges take to connect to one controller at once and get their flows. The
peers write the same bytes, one connection after the other and all at the same time.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.figures import Figure, Goal, alternate
from bench.rig.controller import Controller, running
from bench.rig.openflow import Message
from bench.rig.openflow_socket import write_at_once
from bench.rig.switch import Switch, switch
from bench.rig.testbed import connections, relay_to
from bench.rig.topologies import BRIDGE, groups, host

GROUPS, HOSTS, NETWORKS, INSTANCES = 20, 10, 10, 49
"""200 hosts in groups of ten, which share ten networks, with 49 instances on each host."""

FLOWS = 501
"""The flows of a bridge that name no port, because one Open vSwitch cannot have 200 ports called
patch-int."""

CONNECTED = 40
"""The number of connections that may wait: Open vSwitch closes a connection that is silent for ten
seconds."""

ROUNDS = 3


def measure() -> Iterator[Figure]:
    """The figures, in ms."""
    with switch() as daemons:
        topology = daemons.folder / "topology.yaml"
        topology.write_text(groups(GROUPS, HOSTS, NETWORKS, INSTANCES))
        bridges = [f"tun{number}" for number in range(GROUPS * HOSTS)]
        for number, bridge in enumerate(bridges):
            daemons.add(bridge, host(number), {})
        yield from _Many(topology, daemons, bridges).figures()


class _Many:
    """All bridges on one switch, filled in different ways; each way empties them afterwards."""

    def __init__(self, topology: Path, daemons: Switch, bridges: list[str]) -> None:
        self._topology = topology
        self._switch = daemons
        self._bridges = bridges
        self._bytes = self._record()

    def figures(self) -> Iterator[Figure]:
        measures = self._ours, self._raw_in_turn, self._raw_at_once
        ours, in_turn, at_once = (1000 * each for each in alternate(ROUNDS, *measures))
        what = f"{len(self._bridges)} bridges of {FLOWS} flows connect at once"
        yield Figure(
            what, "ms", ours, in_turn, "the same bytes, one bridge after the other", Goal(2)
        )
        yield Figure(what, "ms", ours, at_once, "the same bytes, to all at once")

    def _record(self) -> dict[int, list[Message]]:
        """Datapath id → the messages that a controller sends to the bridge."""
        with running(self._topology) as controller, relay_to(controller) as relay:
            self._switch.connect(relay.target, *self._bridges)
            self._await_all(controller)
            recorded = {
                # A connection that failed has no messages.
                tape.datapath_id(): sent
                for tape in relay.tapes
                if (sent := tape.changes())
            }
        assert len(recorded) == len(self._bridges), f"{len(recorded)} bridges were filled"
        self._switch.empty(*self._bridges)
        return recorded

    def _ours(self) -> float:
        """The time from the first accepted connection to the last bridge in sync."""
        with running(self._topology) as controller:
            self._switch.connect(controller.target, *self._bridges)
            last = self._await_all(controller)
            first = controller.time_of("accepted ")
        self._switch.empty(*self._bridges)
        return last - first

    def _await_all(self, controller: Controller) -> float:
        for bridge in range(len(self._bridges)):
            controller.in_sync(bridge=f"{host(bridge)}/{BRIDGE}")
        assert all(each.flows == FLOWS for each in controller.syncs())
        return max(each.at for each in controller.syncs())

    def _raw_in_turn(self) -> float:
        seconds = 0.0
        for first in range(0, len(self._bridges), CONNECTED):
            some = self._bridges[first : first + CONNECTED]
            with connections(self._switch, *some) as every:
                seconds += sum(
                    connection.write(self._bytes[connection.datapath_id]) for connection in every
                )
            self._switch.empty(*some)
        return seconds

    def _raw_at_once(self) -> float:
        with connections(self._switch, *self._bridges) as every:
            seconds = write_at_once(
                [(connection, self._bytes[connection.datapath_id]) for connection in every]
            )
        self._switch.empty(*self._bridges)
        return seconds
