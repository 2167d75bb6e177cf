"""Sends a packet through one port of a bridge, unless Open vSwitch would skip it."""

from __future__ import annotations

from dvr_ryu.pipeline.run.machine import Machine


def send(machine: Machine, number: int) -> None:
    """Send the packet as it is now through a port."""
    port = machine.environment.ports.get(number)
    if port is None:
        machine.note(f"not to port {machine.port_name(number)}: the bridge has no such port")
        return
    came_in = machine.environment.ports.get(machine.fields.get("in_port", 0))
    if port.protected and came_in and came_in.protected:
        machine.note(f"not to {port.name}: it is protected, and so is {came_in.name}")
        return
    if "packet_type" in machine.fields:
        machine.note(f"not to {port.name}: the packet has no Ethernet header")
        return
    machine.outputs.append((port.name, machine.leaving(port.tunnel)))
    machine.step.outputs.append(port.name)
