"""learn(...): a flow that makes flows, from the packets that it sees."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.actions.setting import require_same_width
from dvr_ryu.pipeline.fields import Subfield
from dvr_ryu.pipeline.phrases import parted, split
from dvr_ryu.pipeline.scope import Scope
from dvr_ryu.pipeline.source import Wrong

_SETTINGS = {
    "table": 8,
    "priority": 16,
    "idle_timeout": 16,
    "hard_timeout": 16,
    "fin_idle_timeout": 16,
    "fin_hard_timeout": 16,
    "cookie": 64,
}
"""What learn() sets of the flow it makes, and how many bits each has."""


@frozen
class LearnMatch:
    """The learned flow matches `target` against a number or what `source` held in this packet."""

    target: Subfield
    source: Subfield | int

    def __str__(self) -> str:
        if self.source == self.target:
            return str(self.target)
        text = f"{self.source:#x}" if isinstance(self.source, int) else str(self.source)
        return f"{self.target}={text}"

    def build(self) -> Any:
        """Return Ryu's NXFlowSpecMatch."""
        return parser.NXFlowSpecMatch(
            src=_learn_source(self.source), dst=_learn_end(self.target), n_bits=self.target.width
        )


@frozen
class LearnLoad:
    """The learned flow writes `target`: a number or what `source` held in this packet."""

    source: Subfield | int
    target: Subfield

    def __str__(self) -> str:
        text = f"{self.source:#x}" if isinstance(self.source, int) else str(self.source)
        return f"load:{text}->{self.target}"

    def build(self) -> Any:
        """Return Ryu's NXFlowSpecLoad."""
        return parser.NXFlowSpecLoad(
            src=_learn_source(self.source), dst=_learn_end(self.target), n_bits=self.target.width
        )


@frozen
class LearnOutput:
    """The learned flow sends packets to the port that `source` held in this packet."""

    source: Subfield

    def __str__(self) -> str:
        return f"output:{self.source}"

    def build(self) -> Any:
        """Return Ryu's NXFlowSpecOutput."""
        return parser.NXFlowSpecOutput(
            src=_learn_end(self.source), dst="", n_bits=self.source.width
        )


def _learn_end(subfield: Subfield) -> tuple[str, int]:
    return subfield.field.nxm, subfield.start


def _learn_source(source: Subfield | int) -> tuple[str, int] | int:
    return source if isinstance(source, int) else _learn_end(source)


@frozen
class Learn:
    """Make a flow from this packet. `settings` are the table, priority, timeouts and cookie it
    gets.
    """

    settings: tuple[tuple[str, int], ...]
    parts: tuple[LearnMatch | LearnLoad | LearnOutput, ...]

    def __str__(self) -> str:
        forms = {"cookie": hex}
        settings = [f"{name}={forms.get(name, str)(value)}" for name, value in self.settings]
        return f"learn({','.join([*settings, *map(str, self.parts)])})"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionLearn."""
        names = {"table": "table_id", "fin_idle_timeout": "fin_idle_timeout"}
        settings = {names.get(name, name): value for name, value in self.settings}
        return [
            parser.NXActionLearn(
                **{"priority": 0x8000, **settings}, specs=[part.build() for part in self.parts]
            )
        ]


def read_learn(scope: Scope, rest: str, at: int) -> Learn:
    """learn(SETTING=…,PART,…): what the flow gets, and its match and actions."""
    if not (rest.startswith("(") and rest.endswith(")")):
        raise Wrong(at, "learn has its parts in parentheses: learn(table=20,…)")
    settings: list[tuple[str, int]] = []
    parts: list[LearnMatch | LearnLoad | LearnOutput] = []
    for word, start in split(rest[1:-1], at + 1, separators=","):
        name, equals, value = word.partition("=")
        if equals and name in _SETTINGS:
            settings.append((name, _read_setting(scope, name, value, start + len(name) + 1)))
        else:
            parts.append(_read_part(scope, word, start))
    if "table" not in dict(settings):
        raise Wrong(at, "learn needs table=…: the table that gets the flow")
    return Learn(tuple(settings), tuple(parts))


def _read_setting(scope: Scope, name: str, value: str, at: int) -> int:
    if name == "table":
        return scope.table_number(value, at)
    return scope.plain(value, _SETTINGS[name], at)


def _read_part(scope: Scope, word: str, at: int) -> LearnMatch | LearnLoad | LearnOutput:
    if word.startswith("output:"):
        return LearnOutput(scope.subfield(word[7:], at + 7))
    if word.startswith("load:"):
        value, target = parted(word[4:], at + 4, "VALUE->FIELD", "load:0->NXM_OF_VLAN_TCI[]")
        end = scope.subfield(target, at + 5 + len(value) + 2)
        return LearnLoad(_read_source(scope, value, end, at + 5), end)
    target, equals, value = word.partition("=")
    end = scope.subfield(target, at, *_SETTINGS)
    return LearnMatch(end, _read_source(scope, value, end, at + len(target) + 1) if equals else end)


def _read_source(scope: Scope, text: str, target: Subfield, at: int) -> Subfield | int:
    if text[:1].isdigit():
        return scope.plain(text, target.width, at)
    source = scope.subfield(text, at)
    require_same_width(source, target, at)
    return source
