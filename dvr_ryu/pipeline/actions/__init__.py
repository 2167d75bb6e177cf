"""What a flow does to a packet. A file a family: the actions as values, which print themselves and
build Ryu's, and the functions that read them. Here they come together, by name.

Operands may still be holes or port names (see `operands`); `build` wants them filled.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from dvr_ryu.pipeline import numbers
from dvr_ryu.pipeline.actions.learn import Learn, read_learn
from dvr_ryu.pipeline.actions.output import (
    GotoTable,
    Output,
    Resubmit,
    read_goto_table,
    read_output,
    read_resubmit,
)
from dvr_ryu.pipeline.actions.setting import (
    SETTERS,
    Load,
    Move,
    SetField,
    read_load,
    read_move,
    read_set_field,
    read_setter,
)
from dvr_ryu.pipeline.actions.vlan import (
    ModVlanVid,
    PopVlan,
    PushVlan,
    read_mod_vlan_vid,
    read_pop_vlan,
    read_push_vlan,
)
from dvr_ryu.pipeline.phrases import did_you_mean, split
from dvr_ryu.pipeline.scope import Scope
from dvr_ryu.pipeline.source import Wrong

__all__ = ["AnyAction", "GotoTable", "Learn", "Output", "Resubmit", "read_actions"]

AnyAction = Output | SetField | ModVlanVid | PushVlan | PopVlan | Move | Load | Resubmit | Learn
"""Every action; GotoTable is not one, it is an instruction."""

_READERS: dict[str, Callable[[Scope, str, int], AnyAction | GotoTable]] = {
    "output": read_output,
    "resubmit": read_resubmit,
    "goto_table": read_goto_table,
    "set_field": read_set_field,
    "load": read_load,
    "move": read_move,
    "mod_vlan_vid": read_mod_vlan_vid,
    "push_vlan": read_push_vlan,
    "pop_vlan": read_pop_vlan,
    "strip_vlan": read_pop_vlan,
    "learn": read_learn,
}


def read_actions(
    scope: Scope, text: str, at: int, tagged: bool = False
) -> tuple[tuple[AnyAction, ...], GotoTable | None]:
    """The part after actions=: the actions, and the table to go on in.

    `tagged`: the flow matches packets that have a VLAN tag. Where none is, mod_vlan_vid puts
    one first, as ovs-ofctl does.
    """
    scope.tagged = tagged
    words = split(text, at, separators=", \t")
    if not words:
        raise Wrong(at, "no action; write drop where nothing shall happen")
    if [word for word, _ in words] == ["drop"]:
        return (), None
    actions: list[AnyAction] = []
    for position, (word, start) in enumerate(words):
        action = _read_action(scope, word, start)
        if isinstance(action, GotoTable):
            if position < len(words) - 1:
                raise Wrong(start, "goto_table comes last: it is done after all actions")
            return tuple(actions), action
        actions.append(action)
    return tuple(actions), None


def _read_action(scope: Scope, word: str, at: int) -> AnyAction | GotoTable:
    name = re.split(r"[:(=]", word, maxsplit=1)[0]
    rest, start = word[len(name) :], at + len(name)
    if name in SETTERS:
        return read_setter(scope, name, rest, start)
    if name in _READERS:
        return _READERS[name](scope, rest, start)
    if name.upper() in numbers.RESERVED_PORTS:
        if rest:
            raise Wrong(start, f"nothing follows {name}")
        return Output(numbers.RESERVED_PORTS[name.upper()])
    if name == "drop":
        raise Wrong(at, "drop stands alone: the other actions would have no effect")
    known = [*_READERS, *SETTERS, *numbers.RESERVED_PORTS, "drop"]
    raise Wrong(at, f"unknown action '{name}'{did_you_mean(name, known)}")
