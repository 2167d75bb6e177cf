"""The actions of flows. Each family has a file: actions as values, which print themselves and build
Ryu's, and the functions that parse them. This module parses all actions of a flow.

Operands may be holes or port names (see `operands`); `build` requires that they are filled.
"""

from __future__ import annotations

from collections.abc import Iterable

from dvr_ryu.pipeline.language.actions import (
    clone,
    controller,
    ct,
    encap,
    ip,
    learn,
    mpls,
    multipath,
    output,
    refused,
    resubmit,
    set_field,
    special,
    vlan,
)
from dvr_ryu.pipeline.language.actions.base import Action, read_list
from dvr_ryu.pipeline.language.actions.instructions import (
    GotoTable,
    build_instructions,
    require_order,
)
from dvr_ryu.pipeline.language.actions.learn import Learn
from dvr_ryu.pipeline.language.actions.output import Output
from dvr_ryu.pipeline.language.actions.resubmit import Resubmit
from dvr_ryu.pipeline.language.actions.special import Conjunction, Note
from dvr_ryu.pipeline.language.field_match import FieldMatch
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.packet import Packet
from dvr_ryu.pipeline.language.scope import Scope

__all__ = [
    "Action",
    "GotoTable",
    "Learn",
    "Output",
    "Resubmit",
    "build_instructions",
    "read_actions",
]

FAMILIES = (
    output, controller, resubmit, set_field, vlan, ip, mpls, ct, learn, multipath, clone, encap,
    special, refused,
)  # fmt: skip
"""To import a family registers its actions."""


def read_actions(
    scope: Scope, text: str, at: int, matches: Iterable[FieldMatch] = ()
) -> tuple[tuple[Action, ...], GotoTable | None]:
    """Parse the part after actions=, which begins at offset `at`, of a flow with these matches.
    Returns the actions and instructions, and the goto_table, if there is one. Raises LineError.
    """
    if not text.strip():
        raise LineError(at, "no action here: write drop to drop the packet")
    scope.packet = Packet.matched(matches)
    found = read_list(scope, text, at)
    require_order(found)
    _require_conjunctions_alone(found)
    actions = tuple(action for action, _ in found)
    if actions and isinstance(actions[-1], GotoTable):
        return actions[:-1], actions[-1]
    return actions, None


def _require_conjunctions_alone(actions: list[tuple[Action, int]]) -> None:
    if any(isinstance(action, Conjunction) for action, _ in actions):
        for action, at in actions:
            if not isinstance(action, Conjunction | Note):
                raise LineError(at, "only notes can stand beside a conjunction")
