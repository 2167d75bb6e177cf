"""The base of all actions, the argument behind an action's name, and the registry of readers.

The families of actions register their readers with `@reads`. Lists of actions are parsed here, also
those within other actions.
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
    """One action. Its text is ovs-ofctl's; operands may be holes."""

    in_action_set: ClassVar[bool] = False
    """Whether an action set may contain it: "Action Sets" in ovs-actions(7)."""

    @abstractmethod
    def build(self) -> list[Any]:
        """Ryu's actions; every hole must be filled."""


@frozen
class Argument:
    """The argument of an action: the text after a colon or in parentheses, the offset `at` of the
    text, and the offset `end` of the name's end.
    """

    text: str
    at: int
    end: int

    def absent(self, names: str) -> None:
        """Raise LineError if there is an argument."""
        if self.text:
            raise LineError(self.end, f"{names} takes no argument")

    def present(self, what: str, example: str = "") -> str:
        """The text. Raises LineError if it is empty, with `what` as the missing thing."""
        if not self.text:
            hint = f", such as {example}" if example else ""
            raise LineError(self.end, f"{what} is missing here{hint}")
        return self.text

    def arrow(self, notation: str, example: str) -> tuple[Argument, Argument]:
        """The two sides of the arrow, each as an argument. Raises LineError without an arrow."""
        left, arrow, right = self.text.partition("->")
        if not arrow:
            raise LineError(self.end, f"write {notation} after the colon: {example}")
        at = self.at + len(left) + 2
        return Argument(left, self.at, self.at), Argument(right, at, at)

    def tokens(self) -> list[tuple[str, int]]:
        """The parts between commas, each with its offset."""
        return split_tokens(self.text, self.at, separators=", \t")

    def settings(self) -> Iterator[KeyValue]:
        """The parts as KEY=VALUE, KEY(VALUE) or KEY."""
        for token, start in self.tokens():
            yield read_key_value(token, start)


_DEEPEST = 64
"""The depth to which actions may nest: Python limits its own."""

Reader = Callable[[Scope, Argument], Action]
"""Parses an action from its argument."""

READERS: dict[str, Reader] = {}
"""The readers of all actions, by name."""


def reads(*names: str) -> Callable[[Reader], Reader]:
    """Register a function as the reader of actions with these names."""

    def add(reader: Reader) -> Reader:
        READERS.update(dict.fromkeys(names, reader))
        return reader

    return add


def read_list(scope: Scope, text: str, at: int) -> list[tuple[Action, int]]:
    """A list of actions, each with its offset. `drop` is the empty list."""
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
    """Whether the token is a port's name, and not a misspelt action."""
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
    """The text, if it is one of the choices. Raises LineError."""
    if text not in choices:
        hint = did_you_mean(text, choices) or f"; there are {', '.join(choices)}"
        raise LineError(at, f"unknown {what} '{text}'{hint}")
    return text
