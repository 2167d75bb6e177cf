"""Runs the actions on VLAN tags: push, pop, write. A second tag is held as `inner_vlan_tci`."""

from __future__ import annotations

from dvr_ryu.pipeline.language.actions.vlan import ModVlanPcp, ModVlanVid, PopVlan, PushVlan
from dvr_ryu.pipeline.language.fields import VLAN_PRESENT
from dvr_ryu.pipeline.language.operands import number
from dvr_ryu.pipeline.run.headers import put
from dvr_ryu.pipeline.run.machine import Machine, runs

_TAG, _INNER = "vlan_tci", "inner_vlan_tci"


@runs(ModVlanVid)
def mod_vlan_vid(machine: Machine, action: ModVlanVid) -> None:
    """Write the tag; a packet that may lack one gets one, before any that it has."""
    if action.push:
        _push(machine)
    if machine.fields.get(_TAG, 0) & VLAN_PRESENT:
        put(machine.fields, "dl_vlan", number(action.tag))


@runs(ModVlanPcp)
def mod_vlan_pcp(machine: Machine, action: ModVlanPcp) -> None:
    """Write the tag's priority; a packet that may lack one gets one, before any that it has."""
    if action.push:
        _push(machine)
    if machine.fields.get(_TAG, 0) & VLAN_PRESENT:
        put(machine.fields, "vlan_pcp", action.priority)


@runs(PushVlan)
def push_vlan(machine: Machine, action: PushVlan) -> None:
    """Put an empty tag before the packet."""
    _push(machine)
    del action


@runs(PopVlan)
def pop_vlan(machine: Machine, action: PopVlan) -> None:
    """Take the outer tag off."""
    del action
    inner = machine.fields.pop(_INNER, 0)
    put(machine.fields, _TAG, inner)


def _push(machine: Machine) -> None:
    outer = machine.fields.get(_TAG, 0)
    if outer & VLAN_PRESENT:
        machine.fields[_INNER] = outer
    machine.fields[_TAG] = VLAN_PRESENT
