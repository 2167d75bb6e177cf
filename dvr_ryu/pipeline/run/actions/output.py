"""Runs the actions that send the packet to ports: output in all its forms, FLOOD, ALL, queues."""

from __future__ import annotations

from dvr_ryu.pipeline.language.actions.controller import Controller
from dvr_ryu.pipeline.language.actions.output import (
    Enqueue,
    Group,
    Output,
    OutputCut,
    OutputField,
    PopQueue,
    SetQueue,
)
from dvr_ryu.pipeline.language.numbers import PORT, PORT_NUMBERS, RESERVED_PORTS, long_port
from dvr_ryu.pipeline.language.operands import number
from dvr_ryu.pipeline.run.headers import get_bits
from dvr_ryu.pipeline.run.machine import Machine, runs
from dvr_ryu.pipeline.run.normal import normal
from dvr_ryu.pipeline.run.sending import send

_NONE, _UNSET = PORT_NUMBERS["NONE"], PORT_NUMBERS["UNSET"]


@runs(Output)
def output(machine: Machine, action: Output) -> None:
    """Send to a port, or do what a reserved port means."""
    output_to(machine, number(action.port))


@runs(OutputField)
def output_field(machine: Machine, action: OutputField) -> None:
    """Send to the port whose number a field has."""
    value = get_bits(machine.fields, action.source)
    if value >> 16 in (0, 0xFFFF):
        output_to(machine, long_port(value))
    else:
        machine.note(f"{action.source} is {value:#x}, which is no port")


@runs(OutputCut)
def output_cut(machine: Machine, action: OutputCut) -> None:
    """Send the beginning of the packet to a port."""
    port = number(action.port)
    to = machine.environment.ports.get(port)
    if port == RESERVED_PORTS["IN_PORT"] or (to and to.peer):
        machine.note(f"not to {machine.port_name(port)}: Open vSwitch cuts no packets there")
        return
    if machine.packet.frame_size > action.max_len:
        machine.note(f"only the first {action.max_len} bytes leave")
    output_to(machine, port)


@runs(Enqueue)
def enqueue(machine: Machine, action: Enqueue) -> None:
    """Send to a port; queues change nothing about the way."""
    output_to(machine, number(action.port))


@runs(SetQueue, PopQueue)
def set_queue(machine: Machine, action: SetQueue | PopQueue) -> None:
    """Queues change nothing about the way."""
    del machine, action


@runs(Controller)
def to_controller(machine: Machine, action: Controller) -> None:
    """A controller may do anything with the packet: that is not run here."""
    machine.note(f"a copy goes to the controller (reason: {action.reason})")
    if action.pause:
        machine.note("the packet waits for the controller: what follows is not run here")
        machine.end_all()


@runs(Group)
def group(machine: Machine, action: Group) -> None:
    """The language has no groups: a switch without this one refuses the flow."""
    machine.note(f"the bridge has no group {action.group}: the actions after it are not run")
    machine.end_actions()


def output_to(machine: Machine, port: int) -> None:
    """Send to a port by its number, which may be a reserved one."""
    name = PORT.write(port) if port in RESERVED_PORTS.values() else ""
    match name:
        case "IN_PORT":
            send(machine, machine.fields.get("in_port", 0))
        case "NORMAL":
            normal(machine)
        case "FLOOD" | "ALL":
            _flood(machine)
        case "TABLE":
            machine.look_up(0, machine.step.depth + 1)
        case "CONTROLLER":
            machine.note("a copy goes to the controller")
        case _ if port in (_NONE, _UNSET):
            machine.note("to no port")
        case _ if port == machine.fields.get("in_port", 0):
            machine.note(f"not to {machine.port_name(port)}: the packet came in there")
        case _:
            send(machine, port)


def _flood(machine: Machine) -> None:
    """To all ports but the one where it came in; VLANs do not matter."""
    for port in sorted(machine.environment.ports):
        if port != machine.fields.get("in_port", 0):
            send(machine, port)
