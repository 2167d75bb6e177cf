"""clone(...): actions on a copy of the packet."""

from __future__ import annotations

from typing import Any

from attrs import frozen

from dvr_ryu.pipeline.language.actions.base import Action, Argument, read_list, reads
from dvr_ryu.pipeline.language.actions.instructions import require_no_instruction
from dvr_ryu.pipeline.language.encoding import nicira
from dvr_ryu.pipeline.language.scope import Scope


@frozen
class Clone(Action):
    """Do the actions on a copy of the packet."""

    actions: tuple[Action, ...]

    def __str__(self) -> str:
        return f"clone({','.join(map(str, self.actions)) or 'drop'})"

    def build(self) -> list[Any]:
        """Return clone in bytes of our own: Ryu 4.34 has no class for it."""
        return [nicira.clone(built for each in self.actions for built in each.build())]


@reads("clone")
def read_clone(scope: Scope, argument: Argument) -> Clone:
    """clone(ACTION,...)."""
    outer, scope.packet = scope.packet, scope.packet.copy()
    actions = read_list(scope, argument.text, argument.at)
    scope.packet = outer
    require_no_instruction(actions, "clone")
    return Clone(tuple(action for action, _ in actions))
