"""Refuses some actions of ovs-ofctl by name, each with its reason."""

from __future__ import annotations

from dvr_ryu.pipeline.language.actions.base import Action, Argument, reads
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.scope import Scope

REFUSED = {
    "apply_actions": "leave apply_actions out: actions stand by themselves",
    "debug_recirc": "debug_recirc is for Open vSwitch's own tests; no switch takes it",
    "debug_slow": "debug_slow is for Open vSwitch's own tests; no switch takes it",
}


def _reads_refused(name: str, why: str) -> None:
    @reads(name)
    def _(scope: Scope, argument: Argument) -> Action:
        """Refuse the action."""
        raise LineError(argument.end - len(name), why)


for _name, _why in REFUSED.items():
    _reads_refused(_name, _why)
