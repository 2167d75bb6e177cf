"""OpenFlow's instructions. A flow has each at most once, in OpenFlow's order.

In a flow line they stand among the actions: meter first, then the actions, then the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4 as ofp
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.language.actions.base import Action, Argument, read_list, reads
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import port_list
from dvr_ryu.pipeline.language.scope import Scope


class Instruction(Action):
    """An instruction; `build` returns Ryu's."""


@frozen
class Meter(Instruction):
    """Drop or mark packets above a meter's rate."""

    meter: int

    def __str__(self) -> str:
        return f"meter:{self.meter}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPInstructionMeter."""
        return [parser.OFPInstructionMeter(self.meter)]


@frozen
class ClearActions(Instruction):
    """Empty the action set."""

    def __str__(self) -> str:
        return "clear_actions"

    def build(self) -> list[Any]:
        """Return Ryu's OFPInstructionActions."""
        return [parser.OFPInstructionActions(ofp.OFPIT_CLEAR_ACTIONS, [])]


@frozen
class WriteActions(Instruction):
    """Add actions to the action set, which runs after the last table."""

    actions: tuple[Action, ...]

    def __str__(self) -> str:
        return f"write_actions({','.join(map(str, self.actions)) or 'drop'})"

    def build(self) -> list[Any]:
        """Return Ryu's OFPInstructionActions; none if there is no action."""
        parts = [part for each in self.actions for part in each.build()]
        return [parser.OFPInstructionActions(ofp.OFPIT_WRITE_ACTIONS, parts)] if parts else []


@frozen
class WriteMetadata(Instruction):
    """Write the bits of the metadata that are in the mask."""

    value: int
    mask: int

    def __str__(self) -> str:
        text = f"write_metadata:{self.value:#x}"
        return text if self.mask == _ALL else f"{text}/{self.mask:#x}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPInstructionWriteMetadata."""
        return [parser.OFPInstructionWriteMetadata(self.value, self.mask)]


@frozen
class GotoTable(Instruction):
    """Go on in a later table."""

    table: int

    def __str__(self) -> str:
        return f"goto_table:{self.table}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPInstructionGotoTable."""
        return [parser.OFPInstructionGotoTable(self.table)]


_ALL = (1 << 64) - 1
_ORDER: list[type[Instruction] | None] = [
    Meter, None, ClearActions, WriteActions, WriteMetadata, GotoTable
]  # fmt: skip
"""OpenFlow's order; None stands for the actions."""

_NAMES = ["meter", "an action", "clear_actions", "write_actions", "write_metadata", "goto_table"]


def build_instructions(actions: Iterable[Action]) -> list[Any]:
    """Ryu's instructions of a flow: those that it names, and one that applies its actions."""
    built: list[Any] = []
    for apart, group in groupby(actions, key=lambda each: isinstance(each, Instruction)):
        parts = [part for each in group for part in each.build()]
        if apart or not parts:
            built += parts
        else:
            built.append(parser.OFPInstructionActions(ofp.OFPIT_APPLY_ACTIONS, parts))
    return built


def require_order(actions: Iterable[tuple[Action, int]]) -> None:
    """Raise LineError if an instruction stands twice, or not in OpenFlow's order."""
    last = 0
    seen: set[int] = set()
    for action, at in actions:
        rank = _rank(action)
        if rank < last:
            raise LineError(
                at, f"{_NAMES[rank]} must come before {_NAMES[last]}: it is done earlier"
            )
        if rank in seen and isinstance(action, Instruction):
            raise LineError(at, f"{_NAMES[rank]} is there already; a flow has it once")
        seen.add(rank)
        last = rank


def _rank(action: Action) -> int:
    return _ORDER.index(type(action) if isinstance(action, Instruction) else None)


def require_no_instruction(actions: Iterable[tuple[Action, int]], within: str) -> None:
    """Raise LineError if an instruction stands within another action."""
    for action, at in actions:
        if isinstance(action, Instruction):
            raise LineError(at, f"{_NAMES[_rank(action)]} cannot stand within {within}")


@reads("goto_table")
def read_goto_table(scope: Scope, argument: Argument) -> GotoTable:
    """goto_table:TABLE, which only goes forward."""
    text = argument.present("a table", ":UCAST_TO_TUN")
    table = scope.table_number(text, argument.at)
    if table <= scope.table:
        raise LineError(
            argument.at, f"goto_table only goes forward: {table} is not after {scope.table}"
        )
    return GotoTable(table)


@reads("write_metadata")
def read_write_metadata(scope: Scope, argument: Argument) -> WriteMetadata:
    """write_metadata:VALUE/MASK."""
    value, slash, mask = argument.present("a number").partition("/")
    bits = scope.plain(value, 64, argument.at)
    mask_at = argument.at + len(value) + 1
    return WriteMetadata(bits, scope.plain(mask, 64, mask_at) if slash else _ALL)


@reads("meter")
def read_meter(scope: Scope, argument: Argument) -> Meter:
    """meter:NUMBER."""
    meter = scope.plain(argument.present("a meter's number"), 32, argument.at)
    if not 1 <= meter <= ofp.OFPM_MAX:
        raise LineError(argument.at, f"a meter's number is 1 to {ofp.OFPM_MAX:#x}")
    return Meter(meter)


@reads("clear_actions")
def read_clear_actions(scope: Scope, argument: Argument) -> ClearActions:
    """clear_actions."""
    argument.absent("clear_actions")
    return ClearActions()


@reads("write_actions")
def read_write_actions(scope: Scope, argument: Argument) -> WriteActions:
    """write_actions(ACTION,...), with actions that an action set may contain."""
    outer, scope.packet = scope.packet, scope.packet.copy()
    scope.packet.in_action_set = True
    actions = read_list(scope, argument.text, argument.at)
    scope.packet = outer
    require_no_instruction(actions, "write_actions")
    for action, at in actions:
        if port_list(action):
            raise LineError(at, "an action set has one output, not a list")
        if not action.in_action_set:
            name = str(action).partition("(")[0].partition(":")[0]
            raise LineError(at, f"{name} cannot stand in an action set")
    return WriteActions(tuple(action for action, _ in actions))
