"""What an action is, what stands behind its name, and the list of those that can be read.

The families of actions add themselves here with `@reads`; actions within actions are read here.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from attrs import frozen

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import PLAIN_NAME, Operand, number
from dvr_ryu.pipeline.language.scope import Scope
from dvr_ryu.pipeline.language.suggestions import did_you_mean, nearest
from dvr_ryu.pipeline.language.tokens import KeyValue, read_key_value, split_tokens
from dvr_ryu.topology.relations import Kind


class Action(ABC):
    """One action. As text it is what ovs-ofctl reads; operands may still be holes."""

    in_action_set: ClassVar[bool] = False
    """Whether write_actions may hold it: "Action Sets" in ovs-actions(7)."""

    @abstractmethod
    def build(self) -> list[Any]:
        """Ryu's actions; every hole must be filled."""


@frozen
class Argument:
    """What stands behind an action's name, after a colon or in parentheses: `text`, which begins
    at `at`. `end` is where the name ends.
    """

    text: str
    at: int
    end: int

    def absent(self, names: str) -> None:
        """Raise unless there is none."""
        if self.text:
            raise LineError(self.end, f"{names} takes no argument")

    def present(self, what: str, example: str = "") -> str:
        """The text; raise where there is none, and tell `what` is missing."""
        if not self.text:
            hint = f", such as {example}" if example else ""
            raise LineError(self.end, f"{what} is missing here{hint}")
        return self.text

    def arrow(self, notation: str, example: str) -> tuple[Argument, Argument]:
        """What stands on the two sides of its arrow, each as an argument of its own."""
        left, arrow, right = self.text.partition("->")
        if not arrow:
            raise LineError(self.end, f"write {notation} after the colon: {example}")
        at = self.at + len(left) + 2
        return Argument(left, self.at, self.at), Argument(right, at, at)

    def tokens(self) -> list[tuple[str, int]]:
        """Its parts between commas, each with where it starts."""
        return split_tokens(self.text, self.at, separators=", \t")

    def settings(self) -> Iterator[KeyValue]:
        """Its parts as KEY=VALUE, KEY(VALUE) or KEY."""
        for token, start in self.tokens():
            yield read_key_value(token, start)


_DEEPEST = 64
"""How many actions may stand around each other: Python's own depth is limited."""

Reader = Callable[[Scope, Argument], Action]
"""Reads an action from what stands behind its name."""

READERS: dict[str, Reader] = {}
"""Every action that can be read, by name."""


def reads(*names: str) -> Callable[[Reader], Reader]:
    """Add a function to those that read actions, under these names."""

    def add(reader: Reader) -> Reader:
        READERS.update(dict.fromkeys(names, reader))
        return reader

    return add


def read_list(scope: Scope, text: str, at: int) -> list[tuple[Action, int]]:
    """A list of actions, each with where it starts. `drop` is the empty list."""
    scope.depth += 1
    if scope.depth > _DEEPEST:
        raise LineError(at, f"actions nest more than {_DEEPEST} deep here")
    try:
        return _read_tokens(scope, split_tokens(text, at, separators=", \t"))
    finally:
        scope.depth -= 1


def _read_tokens(scope: Scope, tokens: list[tuple[str, int]]) -> list[tuple[Action, int]]:
    if [token.lower() for token, _ in tokens] == ["drop"]:
        return []
    return [(_read(scope, token, start), start) for token, start in tokens]


def _read(scope: Scope, token: str, at: int) -> Action:
    name = re.split(r"[:(=]", token, maxsplit=1)[0]
    rest, end = token[len(name) :], at + len(name)
    if reader := READERS.get(name.lower()):
        inside = rest[1:-1] if rest.startswith("(") and rest.endswith(")") else rest[1:]
        return reader(scope, Argument(inside, end + 1, end))
    if name.lower() == "drop":
        raise LineError(at, "drop stands alone: the other actions would have no effect")
    if token.startswith("{") or re.fullmatch("[0-9]+", token) or _is_port_name(token):
        return READERS["output"](scope, Argument(token, at, at))
    raise LineError(at, f"unknown action '{name}'{did_you_mean(name, [*READERS, 'drop'])}")


def _is_port_name(token: str) -> bool:
    """Whether the word is a port's name, and not an action's that is misspelt."""
    if token.startswith('"'):
        return True
    looks_so = bool(PLAIN_NAME.fullmatch(token)) and bool(re.search(r"[-.0-9]", token))
    return looks_so and nearest(token.lower(), [*READERS]) is None


def read_port(scope: Scope, text: str, at: int) -> Operand:
    """A port: its number, its name, a hole, or the name or number of a reserved one."""
    if not text:
        raise LineError(at, f"a port is missing here, such as {numbers.PORT.example}")
    port = scope.operand(numbers.PORT, Kind.PORT, 32, text, at)
    if isinstance(port, int) and port > 0xFEFF and port not in numbers.RESERVED_PORTS.values():
        raise LineError(
            at, f"no packet can be sent to {text}: ports have the numbers 0 to {0xFEFF}"
        )
    return port


def port16(port: Operand) -> int:
    """A port's number as Nicira's actions carry it, in 16 bits."""
    return number(port) & 0xFFFF


def one_of(choices: dict[str, int], text: str, at: int, what: str) -> str:
    """The text, if it is one of the words."""
    if text not in choices:
        hint = did_you_mean(text, choices) or f"; there are {', '.join(choices)}"
        raise LineError(at, f"unknown {what} '{text}'{hint}")
    return text
