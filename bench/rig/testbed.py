"""The testbed of a measurement: a topology file, the br-tun of its host 0 on a switch, and the
programs that connect to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from attrs import frozen

from bench.rig.controller import Controller, running
from bench.rig.openflow_socket import Connection, Listener
from bench.rig.relay import Relay
from bench.rig.switch import Switch, switch
from bench.rig.topologies import BRIDGE, host
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView


@frozen
class Testbed:
    """A topology file, and a switch with one bridge, which has no controller."""

    topology: Path
    switch: Switch

    @contextmanager
    def controller(self) -> Iterator[Controller]:
        """A started controller of the topology; killed at the end."""
        with running(self.topology) as controller:
            yield controller


@contextmanager
def testbed(text: str) -> Iterator[Testbed]:
    """The testbed of a topology; it is removed at the end."""
    with switch() as daemons:
        topology = daemons.folder / "topology.yaml"
        topology.write_text(text)
        daemons.add(BRIDGE, host(0), planned_ports(topology, host(0)))
        yield Testbed(topology, daemons)


@contextmanager
def relay_to(controller: Controller) -> Iterator[Relay]:
    """A relay before a controller; stopped at the end."""
    relay = Relay(controller.port)
    try:
        yield relay
    finally:
        relay.stop()


def planned_ports(topology: Path, name: str) -> dict[str, int]:
    """The ports of a host's br-tun, as the companion would number them."""
    return HostView(load_topology(topology), name).planned_ofports(BRIDGE)


@contextmanager
def connections(switch: Switch, *bridges: str) -> Iterator[list[Connection]]:
    """A connection to each bridge, in any order; all are closed at the end."""
    with ExitStack() as stack:
        listener = stack.enter_context(closing(Listener()))
        switch.connect(listener.target, *bridges)
        every = listener.accept(len(bridges))
        for connection in every:
            stack.enter_context(closing(connection))
        switch.rest()
        yield every
