"""Compares two states of a network, before and after an edit of the topology or of flows/: which
packets it would cut, open or lead elsewhere. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum

from attrs import frozen

from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.prove.attempt import Attempt
from dvr_ryu.prove.groups import decisive
from dvr_ryu.prove.literals import literals
from dvr_ryu.prove.pairs import Pairs
from dvr_ryu.prove.proof import Judge
from dvr_ryu.prove.roles import Numbering, Roles
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.endpoints import UnknownEndpoint
from dvr_ryu.trace.hops import Trace
from dvr_ryu.trace.network import Network


@frozen
class State:
    """A topology and the pipelines that are in force with it."""

    topology: Topology
    pipelines: Pipelines

    @property
    def network(self) -> Network:
        """Its hosts, as values."""
        return Network(self.topology, self.pipelines)


class Effect(Enum):
    """What an edit does to a packet; the text is its heading."""

    CUT = "would be cut"
    OPENED = "would be opened"
    LED = "would be answered by another machine"
    SEEN = "would be seen by another address"


@frozen
class Difference:
    """A packet that an edit concerns, with its ways before and after."""

    kind: Effect
    attempt: Attempt
    before: Trace
    after: Trace

    @property
    def trace(self) -> Trace:
        """The way after the edit."""
        return self.after

    @property
    def text(self) -> str:
        """What happens, in one line."""
        before, after = self.before.verdict, self.after.verdict
        match self.kind:
            case Effect.CUT:
                return decisive(self.after).verdict.reason
            case Effect.OPENED:
                return f"{after.reason}; until now, {decisive(self.before).verdict.reason}"
            case Effect.LED:
                return f"{before.owner} until now, then {after.owner}"
        return f"{before.seen_as} until now, then {after.seen_as}"


def differences(before: State, after: State) -> Iterator[Difference]:
    """The packets with another fate after the edit: one for each class that is a class in one of
    the two states. Packets with an end that only one of the states has are not compared: an
    instance, or `outside`, which is nowhere without a gateway_host.
    """
    old = Judge(before.topology, before.pipelines)
    new = Judge(after.topology, after.pipelines)
    for attempt in _attempts(before, after):
        try:
            was, will_be = old.trace(attempt), new.trace(attempt)
        except UnknownEndpoint:
            continue
        effect = _effect(attempt, was, will_be)
        if effect is not None and attempt.size is not None:
            small = old.trace(attempt.small), new.trace(attempt.small)
            if _effect(attempt, *small) is effect:
                attempt, (was, will_be) = attempt.small, small
        if effect is not None:
            yield Difference(effect, attempt, was, will_be)


def _attempts(before: State, after: State) -> list[Attempt]:
    """The attempts of both states, each packet once."""
    numbering = Numbering()
    both = [*before.pipelines.by_bridge.values(), *after.pipelines.by_bridge.values()]
    named = literals(both)
    found: dict[tuple[object, ...], Attempt] = {}
    states = [before] if before.topology is after.topology else [before, after]
    for state in states:
        roles = Roles(state.topology, named, numbering)
        for each in Pairs(state.topology, roles, numbering).attempts():
            packet = each.source, each.target, each.service, each.kind, each.size
            found.setdefault(packet, each)
    return [*found.values()]


def _effect(attempt: Attempt, before: Trace, after: Trace) -> Effect | None:
    succeeded, succeeds = attempt.succeeds(before), attempt.succeeds(after)
    if succeeded != succeeds:
        return Effect.CUT if succeeded else Effect.OPENED
    if not succeeds:
        return None
    if before.verdict.owner != after.verdict.owner:
        return Effect.LED
    return None if before.verdict.seen_as == after.verdict.seen_as else Effect.SEEN
