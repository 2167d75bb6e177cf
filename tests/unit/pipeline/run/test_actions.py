"""Every action of the language can be run: none is skipped silently."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from dvr_ryu.pipeline.language.actions.base import Action
from dvr_ryu.pipeline.language.actions.instructions import Instruction
from dvr_ryu.pipeline.language.actions.nat import Nat
from dvr_ryu.pipeline.run.actions import PERFORM


def kinds(base: type[Any]) -> Iterator[type[Any]]:
    """The subclasses; attrs makes a class anew, and the first one may still be there."""
    for kind in base.__subclasses__():
        if getattr(sys.modules[kind.__module__], kind.__name__) is kind:
            yield kind
            yield from kinds(kind)


def test_every_action_is_run() -> None:
    assert set(kinds(Action)) - set(PERFORM) == {Instruction, Nat}
