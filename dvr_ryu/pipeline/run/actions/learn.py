"""Runs learn: makes a flow of the packet, as Open vSwitch does. Later packets match it."""

from __future__ import annotations

from collections.abc import Iterable

from dvr_ryu.pipeline.language.actions.base import Action
from dvr_ryu.pipeline.language.actions.learn import Learn, LearnLoad, LearnMatch, LearnOutput
from dvr_ryu.pipeline.language.actions.output import Output
from dvr_ryu.pipeline.language.actions.set_field import Load
from dvr_ryu.pipeline.language.field_match import FieldMatch, normal
from dvr_ryu.pipeline.language.fields import FIELDS, Subfield
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.numbers import long_port
from dvr_ryu.pipeline.language.operands import Operand, number
from dvr_ryu.pipeline.language.settings import Settings
from dvr_ryu.pipeline.run.headers import Fields, get_bits, put_bits
from dvr_ryu.pipeline.run.machine import Machine, runs
from dvr_ryu.pipeline.run.state import identity


@runs(Learn)
def learn(machine: Machine, action: Learn) -> None:
    """Make the flow, unless its table has as many flows of its cookie as the limit allows."""
    flow = _learned(machine.fields, action)
    limit = action.all_settings["limit"]
    alike = [
        identity(each)
        for each in machine.learning()
        if (each.table, each.cookie) == (flow.table, flow.cookie)
    ]
    room = not limit or len(alike) < limit or identity(flow) in alike
    if room:
        machine.learn(flow)
        name = machine.table_name(flow.table)
        machine.note(f"the switch learns a flow in table {flow.table} {name}: {_text(flow)}")
    else:
        machine.note(f"the switch learns nothing: there are {limit} such flows already")
    if action.result:
        put_bits(machine.fields, action.result, int(room))


def _text(flow: Flow) -> str:
    """The flow without its table and settings."""
    return f"priority={str(flow).partition(',priority=')[2]}"


def _learned(fields: Fields, action: Learn) -> Flow:
    settings = action.all_settings
    matches: dict[str, tuple[int, int]] = {}
    actions: list[Action] = []
    for part in action.parts:
        match part:
            case LearnMatch(target, source):
                value = _value(fields, source) & ((1 << target.width) - 1)
                _add(matches, target, value)
            case LearnLoad(source, target):
                actions.append(Load(_value(fields, source) & ((1 << target.width) - 1), target))
            case LearnOutput(source):
                actions.append(Output(long_port(get_bits(fields, source))))
    return Flow(
        settings["table"],
        settings["priority"],
        tuple(_matches(matches.items())),
        tuple(actions),
        settings=Settings(
            cookie=settings["cookie"],
            idle_timeout=settings["idle_timeout"],
            hard_timeout=settings["hard_timeout"],
        ),
    )


def _value(fields: Fields, source: Subfield | Operand) -> int:
    return get_bits(fields, source) if isinstance(source, Subfield) else number(source)


def _add(matches: dict[str, tuple[int, int]], target: Subfield, value: int) -> None:
    """Match some more bits of a field."""
    before, mask = matches.get(target.field.name, (0, 0))
    bits = (1 << target.width) - 1 << target.start
    matches[target.field.name] = before & ~bits | value << target.start, mask | bits


def _matches(bits: Iterable[tuple[str, tuple[int, int]]]) -> Iterable[FieldMatch]:
    for name, (value, mask) in bits:
        field = FIELDS[name]
        if name == "in_port":
            yield FieldMatch(field, long_port(value))
        else:
            yield from _normal(FieldMatch(field, value, None if mask == field.all_bits else mask))


def _normal(match: FieldMatch) -> list[FieldMatch]:
    """The form in which a switch prints it; a match that OpenFlow cannot carry stays as it is."""
    try:
        return normal(match)
    except ValueError:
        return [match]
