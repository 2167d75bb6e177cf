"""What most measurements begin with: a topology file, and br-tun of its host 0 on a switch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from attrs import frozen

from bench.controller import Controller, running
from bench.openflow import Message, changes
from bench.relay import Relay, Tape
from bench.switch import Switch, switch
from bench.topologies import BRIDGE, host
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView


@frozen
class Scene:
    """A topology file and a switch with one bridge, connected to nobody."""

    topology: Path
    switch: Switch

    @contextmanager
    def controller(self) -> Iterator[Controller]:
        """A started controller of the topology; killed at the end."""
        with running(self.topology) as controller:
            yield controller

    def record(self) -> tuple[list[Message], Tape]:
        """Let a controller fill the bridge; return what it sent from the bundle's begin to the
        barrier, and all that was said.
        """
        with self.controller() as controller, relay_to(controller) as relay:
            self.switch.connect(relay.target, BRIDGE)
            controller.in_sync()
            self.switch.disconnect(BRIDGE)
            (tape,) = relay.tapes
            return changes(tape.controller.messages()), tape


@contextmanager
def scene(text: str) -> Iterator[Scene]:
    """The scene of a topology; gone at the end."""
    with switch() as daemons:
        topology = daemons.folder / "topology.yaml"
        topology.write_text(text)
        daemons.add(BRIDGE, host(0), planned_ports(topology, host(0)))
        yield Scene(topology, daemons)


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
