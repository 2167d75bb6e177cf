"""Runs the action set when the packet's tables are done, in Open vSwitch's order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from attrs import evolve

from dvr_ryu.pipeline.language.actions.base import Action
from dvr_ryu.pipeline.language.actions.ct import Ct, CtClear
from dvr_ryu.pipeline.language.actions.encap import Decap, DecNshTtl, Encap
from dvr_ryu.pipeline.language.actions.ip import DecTtl
from dvr_ryu.pipeline.language.actions.mpls import DecMplsTtl, PopMpls, PushMpls
from dvr_ryu.pipeline.language.actions.output import Group, Output, SetQueue
from dvr_ryu.pipeline.language.actions.resubmit import Resubmit
from dvr_ryu.pipeline.language.actions.vlan import ModVlanPcp, ModVlanVid, PopVlan, PushVlan
from dvr_ryu.pipeline.run.machine import Machine

_FIRST: tuple[type[Action], ...] = (
    PopVlan, PopMpls, Decap, Encap, PushMpls, PushVlan, DecTtl, DecMplsTtl, DecNshTtl,
)  # fmt: skip
"""Actions of which the set has one each: the last. They run first, in this order."""
_LAST: tuple[type[Action], ...] = (Ct, CtClear, Resubmit, Output, Group)
"""Only one of these runs, at the end: the last one of the last type that is there."""


def run_action_set(machine: Machine) -> None:
    """Run the action set, if it has an action that sends the packet on."""
    ordered = tuple(set_of(machine))
    machine.action_set = []
    if not ordered or machine.exiting:
        return
    last = machine.steps[-1]
    machine.start(ordered, f"the action set: {','.join(map(str, ordered))}", last.table)
    machine.finish()


def set_of(machine: Machine) -> Iterator[Action]:
    """The action set in the order in which it runs, as it is when the first action is asked for;
    no action, if none sends the packet on.
    """
    actions = tuple(_split(machine.action_set))
    last_of: Mapping[type[Action], Action] = {type(each): each for each in actions}
    final = [last_of[kind] for kind in _LAST if kind in last_of]
    if not final:
        return
    yield from (last_of[kind] for kind in _FIRST if kind in last_of)
    apart = {*_FIRST, *_LAST, SetQueue}
    yield from (each for each in actions if type(each) not in apart)
    yield from (last_of[kind] for kind in (SetQueue,) if kind in last_of)
    yield final[-1]


def _split(actions: Iterable[Action]) -> Iterator[Action]:
    """A tag that is put before the packet and written at once is two actions of OpenFlow's."""
    for each in actions:
        if isinstance(each, ModVlanVid | ModVlanPcp) and each.push:
            yield PushVlan(0x8100)
            yield evolve(each, push=False)
        else:
            yield each
