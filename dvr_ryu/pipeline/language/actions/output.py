"""Output actions: to a port, to the port that a field names, into a queue, through a group."""

from __future__ import annotations

from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4 as ofp
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.language.actions.base import Action, Argument, port16, read_port, reads
from dvr_ryu.pipeline.language.actions.subfields import read_source
from dvr_ryu.pipeline.language.encoding import nicira
from dvr_ryu.pipeline.language.fields import Subfield, find
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.operands import Operand, number, written
from dvr_ryu.pipeline.language.scope import Scope
from dvr_ryu.pipeline.language.tokens import split_tokens
from dvr_ryu.topology.relations import Kind

_WHOLE = ofp.OFPCML_NO_BUFFER
_NO_SINGLE_PORT = {
    numbers.RESERVED_PORTS[name] for name in ("TABLE", "NORMAL", "FLOOD", "ALL", "CONTROLLER")
}
_SHORTEST = 14
"""Bytes of an Ethernet header: Open vSwitch cuts no packet shorter."""


@frozen
class Output(Action):
    """Send the packet to a port; to the controller, the first `max_len` bytes of it."""

    in_action_set = True

    port: Operand
    max_len: int = _WHOLE

    def __str__(self) -> str:
        text = written(numbers.PORT, self.port)
        if not isinstance(self.port, int) or self.port not in numbers.RESERVED_PORTS.values():
            return f"output:{text}"
        return text if self.max_len == _WHOLE else f"{text}:{self.max_len}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionOutput."""
        return [parser.OFPActionOutput(number(self.port), self.max_len)]


@frozen
class OutputCut(Action):
    """Send the first `max_len` bytes of the packet to a port."""

    port: Operand
    max_len: int

    def __str__(self) -> str:
        return f"output(port={written(numbers.PORT, self.port)},max_len={self.max_len})"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionOutputTrunc."""
        return [parser.NXActionOutputTrunc(port16(self.port), self.max_len)]


@frozen
class OutputField(Action):
    """Send the packet to the port whose number the field holds."""

    source: Subfield

    def __str__(self) -> str:
        return f"output:{self.source}"

    def build(self) -> list[Any]:
        """Return Nicira's output_reg."""
        return [nicira.output_reg(self.source)]


@frozen
class Enqueue(Action):
    """Send the packet to a port, in one of its queues; an action of OpenFlow 1.0."""

    port: Operand
    queue: int

    def __str__(self) -> str:
        return f"enqueue:{written(numbers.PORT, self.port)}:{self.queue}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionSetQueue, OFPActionOutput and NXActionPopQueue."""
        return [
            *SetQueue(self.queue).build(),
            *Output(self.port).build(),
            *PopQueue().build(),
        ]


@frozen
class SetQueue(Action):
    """Use this queue for all later outputs."""

    in_action_set = True

    queue: int

    def __str__(self) -> str:
        return f"set_queue:{self.queue}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionSetQueue."""
        return [parser.OFPActionSetQueue(self.queue)]


@frozen
class PopQueue(Action):
    """Use the packet's original queue for all later outputs."""

    def __str__(self) -> str:
        return "pop_queue"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionPopQueue."""
        return [parser.NXActionPopQueue()]


@frozen
class Group(Action):
    """Send the packet through a group."""

    in_action_set = True

    group: int

    def __str__(self) -> str:
        return f"group:{self.group}"

    def build(self) -> list[Any]:
        """Return Ryu's OFPActionGroup."""
        return [parser.OFPActionGroup(self.group)]


@reads("output", "output_reg")
def read_output(scope: Scope, argument: Argument) -> Action:
    """output:PORT, output(port=PORT,max_len=BYTES), output:FIELD[BITS], or a hole that is a list of
    ports.
    """
    text = argument.present("a port").strip()
    if text.startswith(("port=", "max_len=")):
        return _read_cut(scope, argument)
    if text.startswith("{"):
        hole = scope.hole(text, argument.at)
        if hole.kind in (Kind.PORT, Kind.PORTS):
            return Output(hole)
    if "[" in text or (text[:1].isalpha() and find(text) and text.upper() != "IN_PORT"):
        return OutputField(read_source(scope, text, argument.at))
    return Output(read_port(scope, text, argument.at))


def _read_cut(scope: Scope, argument: Argument) -> OutputCut:
    port: Operand | None = None
    max_len: int | None = None
    for setting in argument.settings():
        if setting.key == "port":
            port = read_port(scope, setting.value, setting.value_at)
            if isinstance(port, int) and port in _NO_SINGLE_PORT:
                raise LineError(setting.value_at, f"packets to {setting.value} cannot be cut")
        elif setting.key == "max_len":
            max_len = scope.plain(setting.value, 32, setting.value_at)
            if max_len < _SHORTEST:
                raise LineError(setting.value_at, f"a packet is cut to {_SHORTEST} bytes or more")
        else:
            raise LineError(setting.at, f"output has port and max_len, no {setting.key}")
    if port is None or max_len is None:
        raise LineError(argument.end, "write both: output(port=1,max_len=100)")
    return OutputCut(port, max_len)


def _reads_reserved(name: str) -> None:
    @reads(name.lower())
    def _(scope: Scope, argument: Argument) -> Output:
        """NORMAL, LOCAL and so on, without an argument."""
        argument.absent(name)
        return Output(numbers.RESERVED_PORTS[name])


for _name in numbers.RESERVED_PORTS:
    if _name != "CONTROLLER":
        _reads_reserved(_name)


@reads("enqueue")
def read_enqueue(scope: Scope, argument: Argument) -> Enqueue:
    """enqueue:PORT:QUEUE, enqueue(PORT,QUEUE)."""
    parts = split_tokens(argument.text, argument.at, separators=":, ")
    if len(parts) != 2:
        raise LineError(argument.end, "write a port and a queue: enqueue:1:3")
    port = read_port(scope, *parts[0])
    if isinstance(port, int) and port in _NO_SINGLE_PORT:
        raise LineError(parts[0][1], f"{parts[0][0]} has no queues")
    return Enqueue(port, scope.plain(parts[1][0], 32, parts[1][1]))


@reads("set_queue")
def read_set_queue(scope: Scope, argument: Argument) -> SetQueue:
    """set_queue:QUEUE."""
    return SetQueue(scope.plain(argument.present("a queue's number"), 32, argument.at))


@reads("pop_queue")
def read_pop_queue(scope: Scope, argument: Argument) -> PopQueue:
    """pop_queue."""
    del scope
    argument.absent("pop_queue")
    return PopQueue()


@reads("group")
def read_group(scope: Scope, argument: Argument) -> Group:
    """group:NUMBER."""
    group = scope.plain(argument.present("a group's number"), 32, argument.at)
    if group > ofp.OFPG_MAX:
        raise LineError(argument.at, f"the largest group is {ofp.OFPG_MAX:#x}")
    return Group(group)
