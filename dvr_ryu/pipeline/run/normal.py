"""NORMAL: a learning switch with VLANs. It learns the sender's port, and delivers by MAC."""

from __future__ import annotations

from dvr_ryu.pipeline.language.fields import VLAN_ID, VLAN_PCP, VLAN_PRESENT
from dvr_ryu.pipeline.language.numbers import MAC, PORT_NUMBERS
from dvr_ryu.pipeline.run.headers import Fields
from dvr_ryu.pipeline.run.machine import Machine
from dvr_ryu.pipeline.run.ports import BridgePort
from dvr_ryu.pipeline.run.sending import send

_NO_PORT = frozenset({PORT_NUMBERS["NONE"], PORT_NUMBERS["CONTROLLER"]})
"""Ports as which a packet may come in that no port received."""
_FROM_NOWHERE = BridgePort("no port", PORT_NUMBERS["NONE"])
_MULTICAST = 1 << 40


def _reserved_macs() -> frozenset[int]:
    """The receivers that switches do not forward: of bridges, and of some vendors' protocols."""
    bridges = (0x0180C2000000 | last for last in range(16))
    extreme = (0x00E02B000000, 0x00E02B000004, 0x00E02B000006)
    cisco = (0x01000C000000, 0x01000CCCCCCC, 0x01000CCCCCCD, 0x01000CCDCDCD)
    more_cisco = (0x01000CCCCCC0 | last for last in range(8))
    return frozenset((*bridges, *extreme, *cisco, *more_cisco))


_RESERVED = _reserved_macs()


def normal(machine: Machine) -> None:
    """Learn, then send the packet to its receiver's port, or to all ports of its VLAN."""
    fields = machine.fields
    came_in = _came_in(machine)
    if came_in is None:
        machine.note("NORMAL drops it: no port of the bridge received it")
        return
    tci = fields.get("vlan_tci", 0)
    if came_in.tag is not None and tci & VLAN_ID:
        machine.note(f"NORMAL drops it: it has a VLAN tag, and {came_in.name} takes none")
        return
    vlan = tci & VLAN_ID if came_in.tag is None else came_in.tag
    if fields.get("dl_dst", 0) in _RESERVED:
        machine.note("NORMAL drops it: switches do not forward to that MAC")
        return
    _learn(machine, came_in, vlan)
    _deliver(machine, came_in, vlan, tci & VLAN_PCP)


def _came_in(machine: Machine) -> BridgePort | None:
    number = machine.fields.get("in_port", 0)
    if number in _NO_PORT:
        return _FROM_NOWHERE
    return machine.environment.ports.get(number)


def _learn(machine: Machine, came_in: BridgePort, vlan: int) -> None:
    source = machine.fields.get("dl_src", 0)
    if came_in is _FROM_NOWHERE or source & _MULTICAST:
        return
    learned = machine.state.with_mac(vlan, source, came_in.name)
    if learned is not machine.state:
        machine.note(f"NORMAL learns that {MAC.write(source)} is on {came_in.name} in VLAN {vlan}")
    machine.state = learned


def _deliver(machine: Machine, came_in: BridgePort, vlan: int, pcp: int) -> None:
    target = machine.fields.get("dl_dst", 0)
    known = machine.state.macs.get((vlan, target))
    port = machine.environment.by_name.get(known) if known is not None else None
    if port is None:
        machine.note(f"NORMAL does not know {MAC.write(target)} in VLAN {vlan}: to all its ports")
        for each in machine.environment.ports.values():
            if each.number != came_in.number and _has_vlan(each, vlan, machine.fields):
                _send_in_vlan(machine, each, vlan, pcp)
    elif port.number == came_in.number:
        machine.note(f"NORMAL drops it: {MAC.write(target)} is on {port.name}, where it came in")
    else:
        machine.note(f"NORMAL knows that {MAC.write(target)} is on {port.name}")
        _send_in_vlan(machine, port, vlan, pcp)


def _has_vlan(port: BridgePort, vlan: int, fields: Fields) -> bool:
    """Whether a port is in the packet's VLAN. Packets with a second tag are for trunks only."""
    return port.tag is None or (port.tag == vlan and not fields.get("inner_vlan_tci", 0) & VLAN_ID)


def _send_in_vlan(machine: Machine, port: BridgePort, vlan: int, pcp: int) -> None:
    before = machine.fields
    machine.fields = dict(before)
    trunk = port.tag is None
    _tag(machine.fields, "vlan_tci", vlan | pcp if trunk else 0)
    _tag(machine.fields, "inner_vlan_tci", before.get("inner_vlan_tci", 0) if trunk else 0)
    send(machine, port.number)
    machine.fields = before


def _tag(fields: Fields, name: str, tci: int) -> None:
    """An access port's packets have no tag; nor have those of VLAN 0."""
    if tci & VLAN_ID:
        fields[name] = tci | VLAN_PRESENT
    else:
        fields.pop(name, None)
