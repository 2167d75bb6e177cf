"""Actions that send no packet and write no field: note, sample, conjunction, fin_timeout, exit."""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.actions.base import Action, Argument, port16, read_port, reads
from dvr_ryu.pipeline.language.actions.controller import read_hex
from dvr_ryu.pipeline.language.encoding import nicira
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import Operand, written
from dvr_ryu.pipeline.language.scope import Scope
from dvr_ryu.pipeline.language.suggestions import did_you_mean
from dvr_ryu.pipeline.language.tokens import KeyValue


@frozen
class Note(Action):
    """Do nothing; a note holds bytes for people: 6, 14, 22 and so on."""

    content: bytes

    def __str__(self) -> str:
        return f"note:{self.content.hex('.')}"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionNote."""
        return [parser.NXActionNote(list(self.content))]


@frozen
class Exit(Action):
    """End all actions, of this flow and of the flows that led to it."""

    def __str__(self) -> str:
        return "exit"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionExit."""
        return [parser.NXActionExit()]


@frozen
class Conjunction(Action):
    """The flow is clause `clause` of `clauses` of the conjunctive match `id`."""

    id: int
    clause: int
    clauses: int

    def __str__(self) -> str:
        return f"conjunction({self.id},{self.clause}/{self.clauses})"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionConjunction."""
        return [parser.NXActionConjunction(self.clause - 1, self.clauses, self.id)]


@frozen
class FinTimeout(Action):
    """Once a TCP connection ends, the flow has these timeouts, in seconds (0: as before)."""

    idle_timeout: int = 0
    hard_timeout: int = 0

    def __str__(self) -> str:
        timeouts = {"idle_timeout": self.idle_timeout, "hard_timeout": self.hard_timeout}
        tokens = [f"{name}={seconds}" for name, seconds in timeouts.items() if seconds]
        return f"fin_timeout({','.join(tokens)})"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionFinTimeout."""
        return [parser.NXActionFinTimeout(self.idle_timeout, self.hard_timeout)]


@frozen
class Sample(Action):
    """Send `probability` of 65535 packets to collectors. `direction` shows whether the sample is
    taken as packets enter (ingress) or leave (egress).
    """

    probability: int
    collector_set_id: int = 0
    obs_domain_id: int = 0
    obs_point_id: int = 0
    sampling_port: Operand | None = None
    direction: str = ""

    def __str__(self) -> str:
        tokens = [f"{name}={getattr(self, name)}" for name in _SAMPLE]
        if self.sampling_port is not None:
            tokens.append(f"sampling_port={written(numbers.PORT, self.sampling_port)}")
        if self.direction:
            tokens.append(self.direction)
        return f"sample({','.join(tokens)})"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionSample, NXActionSample2 where a port is named, or Nicira's third one
        with a direction.
        """
        settings = {name: getattr(self, name) for name in _SAMPLE}
        if self.direction:
            port = _NO_PORT if self.sampling_port is None else port16(self.sampling_port)
            return [nicira.sample3(settings, port, _DIRECTIONS[self.direction])]
        if self.sampling_port is None:
            return [parser.NXActionSample(**settings)]
        return [parser.NXActionSample2(**settings, sampling_port=port16(self.sampling_port))]


_SAMPLE = {"probability": 16, "collector_set_id": 32, "obs_domain_id": 32, "obs_point_id": 32}
"""A sample's numbers → their bits."""

_DIRECTIONS = {"ingress": 1, "egress": 2}
"""NX_ACTION_SAMPLE_*."""
_NO_PORT = 0xFFFF

_MOST_CLAUSES = 64


@reads("note")
def read_note(scope: Scope, argument: Argument) -> Note:
    """note:HEX."""
    content = read_hex(argument.text, argument.at)
    return Note(content + bytes(-(len(content) + 2) % 8) if content else bytes(6))


@reads("exit")
def read_exit(scope: Scope, argument: Argument) -> Exit:
    """exit."""
    argument.absent("exit")
    return Exit()


@reads("conjunction")
def read_conjunction(scope: Scope, argument: Argument) -> Conjunction:
    """conjunction(ID,CLAUSE/CLAUSES)."""
    tokens = argument.tokens()
    found = re.fullmatch(r"([0-9]+)\s*/\s*([0-9]+)", tokens[1][0]) if len(tokens) == 2 else None
    if not found:
        raise LineError(argument.end, "write an id, a clause and the number of clauses: (1234,1/2)")
    at = tokens[1][1]
    clause, clauses = (scope.plain(text, 16, at) for text in found.groups())
    if not 2 <= clauses <= _MOST_CLAUSES or not 1 <= clause <= clauses:
        raise LineError(at, f"there are 2 to {_MOST_CLAUSES} clauses, and the first is 1")
    return Conjunction(scope.plain(tokens[0][0], 32, tokens[0][1]), clause, clauses)


@reads("fin_timeout")
def read_fin_timeout(scope: Scope, argument: Argument) -> FinTimeout:
    """fin_timeout(idle_timeout=SECONDS,hard_timeout=SECONDS)."""
    if scope.packet.protocol != 6:
        raise LineError(argument.end, "fin_timeout is only for TCP: match tcp or tcp6 as well")
    timeouts = {"idle_timeout": 16, "hard_timeout": 16}
    return FinTimeout(**dict(_number(scope, each, timeouts) for each in argument.settings()))


@reads("sample")
def read_sample(scope: Scope, argument: Argument) -> Sample:
    """sample(probability=NUMBER,...)."""
    port: Operand | None = None
    direction = ""
    settings: dict[str, int] = {}
    for setting in argument.settings():
        if setting.key in _DIRECTIONS and not setting.value:
            if direction:
                raise LineError(
                    setting.at, f"it is {direction} already; a sample has one direction"
                )
            direction = setting.key
        elif setting.key == "sampling_port":
            port = read_port(scope, setting.value, setting.value_at)
        else:
            settings.update([_number(scope, setting, _SAMPLE)])
    if not settings.get("probability"):
        raise LineError(argument.end, "sample needs probability=…, of 1 to 65535")
    return Sample(**settings, sampling_port=port, direction=direction)


def _number(scope: Scope, setting: KeyValue, known: dict[str, int]) -> tuple[str, int]:
    """A setting that is a number, with its number of bits in `known`."""
    if setting.key not in known:
        hint = did_you_mean(setting.key, known) or f"; there are {', '.join(known)}"
        raise LineError(setting.at, f"unknown setting '{setting.key}'{hint}")
    return setting.key, scope.plain(setting.value, known[setting.key], setting.value_at)
