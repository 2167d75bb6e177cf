"""Runs the actions that write fields: set_field, load, move, push, pop, and those on IP headers."""

from __future__ import annotations

from dvr_ryu.pipeline.language.actions.ip import DecTtl, ModNwTtl
from dvr_ryu.pipeline.language.actions.set_field import (
    CheckPktLarger,
    DeleteField,
    Load,
    Move,
    Pop,
    Push,
    SetField,
)
from dvr_ryu.pipeline.language.fields import IP, IP6, VLAN_PRESENT, Field
from dvr_ryu.pipeline.language.flags import LATER
from dvr_ryu.pipeline.language.operands import number
from dvr_ryu.pipeline.run.headers import Fields, get, get_bits, put, put_bits
from dvr_ryu.pipeline.run.machine import Machine, runs


@runs(SetField)
def set_field(machine: Machine, action: SetField) -> None:
    """Write a field, if the packet has it."""
    field = action.field
    if not has(machine.fields, field):
        machine.note(f"the packet has no {field.name}, so it is not written")
        return
    value, mask = number(action.value) | action.present, action.mask
    if mask is not None:
        value |= get(machine.fields, field.name) & ~mask
    put(machine.fields, field.name, value)


@runs(Load)
def load(machine: Machine, action: Load) -> None:
    """Write a number into bits of a field, if the packet has it."""
    if has(machine.fields, action.target.field):
        put_bits(machine.fields, action.target, number(action.value))
    else:
        machine.note(f"the packet has no {action.target.field.name}, so it is not written")


@runs(Move)
def move(machine: Machine, action: Move) -> None:
    """Copy bits, if the packet has both fields."""
    for bits in (action.source, action.target):
        if not has(machine.fields, bits.field):
            machine.note(f"the packet has no {bits.field.name}, so nothing is moved")
            return
    put_bits(machine.fields, action.target, get_bits(machine.fields, action.source))


@runs(Push)
def push(machine: Machine, action: Push) -> None:
    """Push bits on the packet's stack."""
    machine.stack.append(get_bits(machine.fields, action.source))


@runs(Pop)
def pop(machine: Machine, action: Pop) -> None:
    """Pop the top of the stack into bits of a field."""
    if machine.stack:
        put_bits(machine.fields, action.target, machine.stack.pop())
    else:
        machine.note("the stack is empty: nothing is popped")


@runs(DeleteField)
def delete_field(machine: Machine, action: DeleteField) -> None:
    """Remove a tunnel's option."""
    machine.fields.pop(action.field.name, None)


@runs(CheckPktLarger)
def check_pkt_larger(machine: Machine, action: CheckPktLarger) -> None:
    """Write whether the frame is longer."""
    larger = machine.as_it_is().frame_size > action.length
    put_bits(machine.fields, action.target, int(larger))


@runs(ModNwTtl)
def mod_nw_ttl(machine: Machine, action: ModNwTtl) -> None:
    """Set the time to live of an IP packet."""
    if is_ip(machine.fields):
        machine.fields["nw_ttl"] = action.ttl


@runs(DecTtl)
def dec_ttl(machine: Machine, action: DecTtl) -> None:
    """Decrement the time to live. Of a packet whose time is over, only a copy for the controller
    is left.
    """
    del action
    if is_ip(machine.fields):
        decrement(machine, "nw_ttl", "the time to live")


def decrement(machine: Machine, field: str, name: str) -> None:
    """Decrement a header's time to live; if it is over, end the actions. `name` is for people."""
    ttl = machine.fields.get(field, 0)
    if ttl > 1:
        machine.fields[field] = ttl - 1
    else:
        machine.note(f"{name} is over: a copy goes to the controller, and nothing else")
        machine.end_actions()


def is_ip(fields: Fields) -> bool:
    """Whether it is an IPv4 or IPv6 packet."""
    return fields.get("dl_type") in (IP, IP6)


def has(fields: Fields, field: Field) -> bool:
    """Whether the packet has the header with the field: else Open vSwitch does not write it."""
    if field.name in ("vlan_vid", "vlan_pcp"):
        return bool(fields.get("vlan_tci", 0) & VLAN_PRESENT)
    if not field.requires:
        return True
    if field.in_transport and fields.get("nw_frag", 0) & LATER:
        return False
    return any(all(fields.get(n) == v for n, v in pairs) for pairs in field.requires)
