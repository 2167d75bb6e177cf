"""Runs the actions that lead to tables or hold actions: goto_table, resubmit, clone and others."""

from __future__ import annotations

from itertools import chain

from dvr_ryu.pipeline.language.actions.clone import Clone
from dvr_ryu.pipeline.language.actions.instructions import (
    ClearActions,
    GotoTable,
    Meter,
    WriteActions,
    WriteMetadata,
)
from dvr_ryu.pipeline.language.actions.output import Group, Output
from dvr_ryu.pipeline.language.actions.resubmit import Resubmit
from dvr_ryu.pipeline.language.actions.special import Exit
from dvr_ryu.pipeline.language.fields import TRANSPORTS
from dvr_ryu.pipeline.language.numbers import PORT_NUMBERS, RESERVED_PORTS
from dvr_ryu.pipeline.language.operands import number
from dvr_ryu.pipeline.run.action_set import set_of
from dvr_ryu.pipeline.run.headers import Fields
from dvr_ryu.pipeline.run.machine import Machine, runs

_UNSET = PORT_NUMBERS["UNSET"]
_SET_OUTPUT = "actset_output"
_IN_PORT = RESERVED_PORTS["IN_PORT"]


@runs(GotoTable)
def goto_table(machine: Machine, action: GotoTable) -> None:
    """Go on in a later table."""
    machine.look_up(action.table, machine.step.depth)


@runs(Resubmit)
def resubmit(machine: Machine, action: Resubmit) -> None:
    """Look the packet up once more, then go on."""
    table = machine.frame.table if action.table is None else action.table
    port = number(action.port)
    seen_as = {} if port == _IN_PORT else {"in_port": port}
    if action.ct:
        seen_as |= _first_packet(machine.fields)
    machine.look_up(table, machine.step.depth + 1, seen_as)


def _first_packet(fields: Fields) -> Fields:
    """The ends of the connection's first packet, by the names of the packet's own ends."""
    l4 = TRANSPORTS.get(fields.get("nw_proto", 0), "")
    names = {
        "nw_src": "ct_nw_src", "nw_dst": "ct_nw_dst", "nw_proto": "ct_nw_proto",
        "ipv6_src": "ct_ipv6_src", "ipv6_dst": "ct_ipv6_dst",
        f"{l4}_src": "ct_tp_src", f"{l4}_dst": "ct_tp_dst",
    }  # fmt: skip
    return {name: fields[other] for name, other in names.items() if other in fields}


@runs(Clone)
def clone(machine: Machine, action: Clone) -> None:
    """Run actions on a copy of the packet. Open vSwitch then runs the action set on it, too."""
    saved = machine.save()
    machine.push(
        chain(action.actions, set_of(machine)),
        machine.step,
        machine.frame.table,
        leave=lambda: machine.restore(saved),
    )


@runs(Exit)
def exit_(machine: Machine, action: Exit) -> None:
    """End all actions, also of the flows that led here."""
    del action
    machine.end_all()


@runs(WriteActions)
def write_actions(machine: Machine, action: WriteActions) -> None:
    """Add actions to the action set."""
    machine.action_set += action.actions
    outputs = [each for each in machine.action_set if isinstance(each, Output)]
    if outputs and not any(isinstance(each, Group) for each in machine.action_set):
        machine.fields[_SET_OUTPUT] = number(outputs[-1].port)
    else:
        machine.fields[_SET_OUTPUT] = _UNSET


@runs(ClearActions)
def clear_actions(machine: Machine, action: ClearActions) -> None:
    """Empty the action set."""
    del action
    machine.action_set = []
    machine.fields[_SET_OUTPUT] = _UNSET


@runs(WriteMetadata)
def write_metadata(machine: Machine, action: WriteMetadata) -> None:
    """Write the bits of the metadata that are in the mask."""
    others = machine.fields.get("metadata", 0) & ~action.mask
    machine.fields["metadata"] = others | action.value & action.mask


@runs(Meter)
def meter(machine: Machine, action: Meter) -> None:
    """A meter counts packets over time, which a single packet does not show."""
    machine.note(f"meter {action.meter} may drop it if there are too many packets")
