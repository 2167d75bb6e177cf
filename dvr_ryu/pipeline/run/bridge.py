"""One bridge of one host, and what becomes of a packet in it.

It holds the bridge's lines with the rows of the host's view. It does not follow a packet out of the
bridge: patch ports and tunnels are outputs, and the caller goes on there.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from attrs import evolve

from dvr_ryu.pipeline.compile.binding import BridgeContext
from dvr_ryu.pipeline.language.numbers import PORT_NUMBERS
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.pipeline.run.action_set import run_action_set
from dvr_ryu.pipeline.run.actions import PERFORM
from dvr_ryu.pipeline.run.lookup import Lookup
from dvr_ryu.pipeline.run.machine import Dropped, Environment, Machine
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.pipeline.run.ports import BridgePort, planned_ports
from dvr_ryu.pipeline.run.state import BridgeState
from dvr_ryu.pipeline.run.steps import Forwarding
from dvr_ryu.topology.view import HostView


class Bridge:
    """A bridge that forwards packets that are values. It is made in no time: rows are read, and
    indexed, when the first packet needs them.
    """

    def __init__(
        self, pipeline: Pipeline, view: HostView, ports: Iterable[BridgePort] | None = None
    ) -> None:
        """`ports` are the bridge's ports; None: those that the companion makes."""
        self.name = pipeline.bridge
        self.ports: tuple[BridgePort, ...] = (
            planned_ports(self.name, view) if ports is None else tuple(ports)
        )
        self.by_name = {port.name: port for port in self.ports}
        context = BridgeContext(view.this_host, {port.name: port.number for port in self.ports})
        self._environment = Environment(
            Lookup(pipeline, partial(getattr, view), context),
            {port.number: port for port in self.ports},
            self.by_name,
            {table.number: table.name for table in pipeline.tables},
        )

    def forward(self, state: BridgeState, packet: Packet, in_port: str) -> Forwarding:
        """What becomes of a packet that comes in at the port of that name. Only its headers and its
        tunnel's fields count: registers and the like begin at 0. Raises KeyError if the bridge has
        no such port.
        """
        tunnel = {n: v for n, v in packet.fields.items() if n.startswith("tun_")}
        number = self.by_name[in_port].number
        fields = {**packet.without_metadata().fields, **tunnel, "in_port": number}
        fields["actset_output"] = PORT_NUMBERS["UNSET"]
        machine = Machine(self._environment, PERFORM, state, evolve(packet, fields=fields))
        try:
            machine.run(0)
            run_action_set(machine)
        except Dropped as dropped:
            machine.note(f"{dropped}: Open vSwitch drops the packet everywhere")
            machine.outputs.clear()
        return Forwarding(
            tuple(step.done() for step in machine.steps),
            tuple(machine.outputs),
            machine.as_it_is(),
            machine.state_after(),
        )
