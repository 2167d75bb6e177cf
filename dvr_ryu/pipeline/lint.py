"""What is wrong with a pipeline as a whole, though every line of it can be read."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from dvr_ryu.errors import Problem
from dvr_ryu.pipeline.flow import Flow
from dvr_ryu.pipeline.match import FieldMatch
from dvr_ryu.pipeline.syntax import Pipeline


def problems(pipeline: Pipeline) -> Iterator[Problem]:
    """All that is wrong, in no order."""
    yield from overlaps(pipeline)


def overlaps(pipeline: Pipeline) -> Iterator[Problem]:
    """Two flows of a table that have one priority, match some same packet and do different things:
    which of them a switch applies is not defined (OpenFlow 1.4, 6.4).
    """
    for table in pipeline.tables:
        flows = [flow for block in table.blocks for flow in block.flows]
        for first, second in combinations(flows, 2):
            if (
                first.priority == second.priority
                and _may_meet(first, second)
                and _differ(first, second)
            ):
                assert first.place and second.place
                message = (
                    f"has the priority of line {first.place.line} and can match the same packets, "
                    "with other actions; give one of them a higher priority"
                )
                yield Problem(second.place, message)


def _differ(first: Flow, second: Flow) -> bool:
    return (first.actions, first.goto) != (second.actions, second.goto)


def _may_meet(first: Flow, second: Flow) -> bool:
    """Whether some packet surely can match both: no field tells them apart, or might."""
    other = {each.field.name: each for each in second.match}
    return not any(
        _tell_apart(each, other[each.field.name])
        for each in first.match
        if each.field.name in other
    )


def _tell_apart(first: FieldMatch, second: FieldMatch) -> bool:
    if not isinstance(first.value, int) or not isinstance(second.value, int):
        # The rows of a topology bring different values here, or else `Program.wanted` says so.
        return first.value != second.value
    every = first.field.limit - 1
    common = (every if first.mask is None else first.mask) & (
        every if second.mask is None else second.mask
    )
    return first.value & common != second.value & common
