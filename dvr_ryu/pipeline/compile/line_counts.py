"""Attributes the packets and bytes that a bridge's flows have counted to the lines that made them.
Pure.

A line's count never falls. A switch forgets the counters of a flow that is removed, by an edit or a
timeout; here they stay. A learned flow counts for the line whose learn() made it. If several lines
learn alike, its packets count for the first of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from attrs import define

from dvr_ryu.pipeline.compile.basis import Basis, Lines
from dvr_ryu.pipeline.compile.flow_bytes import IDENTITY
from dvr_ryu.pipeline.compile.flow_stats import FlowCount
from dvr_ryu.pipeline.language.actions.learn import Learn
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.operands import nodes

_Learned = tuple[int, int, int, int, int]
"""Cookie, table, priority, idle and hard timeout: the common values of a line's learned flows."""
_UNSEEN = (0, 0)
UNAVAILABLE = (1 << 64) - 1
"""A counter that the switch does not have (OpenFlow 1.4, 5.8)."""


class LineCount(NamedTuple):
    """The packets and bytes of the flows of one line in one table."""

    flow: Flow
    """The line: its location, sentence, table."""
    table: int
    """The flows' table: the line's own or, for flows that the line learns, that of learn()."""
    packets: int
    bytes: int


@define
class _Total:
    flow: Flow
    table: int
    packets: int = 0
    bytes: int = 0


class LineCounts:
    """The counts of one bridge, through its edits and connections."""

    def __init__(self) -> None:
        self._lines: Lines = ()
        self._totals: list[_Total] = []
        """One for each line, in their order; then one for each table that a line learns into."""
        self._basis: Basis | None = None
        self._made: dict[bytes, int] = {}
        """The identity of each desired flow → the index of its line."""
        self._learned: dict[_Learned, int] = {}
        self._seen: dict[bytes, tuple[int, int]] = {}
        """The counters of the flows that had counted something at the last look."""

    def lines(self) -> Iterator[LineCount]:
        """The count of each line; and, behind all of them, those of learned flows."""
        for total in self._totals:
            yield LineCount(total.flow, total.table, total.packets, total.bytes)

    def follow(self, basis: Basis) -> Iterator[None]:
        """Take the basis of the flows that `count` gets next. It yields now and then, because it
        makes all flows of a new basis: a caller can let others have their turn.
        """
        if basis is self._basis:
            return
        if basis.lines is not self._lines:
            self._take_lines(basis.lines)
        at = {id(template.flow): number for number, (_, template) in enumerate(basis.lines)}
        made: dict[bytes, int] = {}
        for filled in basis.all():
            number = at[id(filled.flow)]
            for identity in filled.identities:
                made.setdefault(identity, number)
            yield
        self._basis, self._made = basis, made

    def _take_lines(self, lines: Lines) -> None:
        """Continue the totals of lines that are still there."""
        before = {(total.flow, total.table): total for total in self._totals}
        totals: list[_Total] = []
        learned: dict[_Learned, int] = {}
        for flow, learn in counted(template.flow for _, template in lines):
            total = _Total(flow, learn.learned_table if learn else flow.table)
            if learn:
                learned.setdefault(_key(learn), len(totals))
            if was := before.pop((total.flow, total.table), None):
                total.packets, total.bytes = was.packets, was.bytes
            totals.append(total)
        self._lines, self._totals, self._learned = lines, totals, learned

    def count(self, flows: Iterable[FlowCount]) -> None:
        """Add the packets and bytes since the last call. `flows` are all flows of the bridge that
        have counted packets; a flow that no line makes counts for none.
        """
        seen: dict[bytes, tuple[int, int]] = {}
        for identity, timeouts, cookie, packets, size in flows:
            if UNAVAILABLE in (packets, size):
                continue
            number = self._made.get(identity)
            if number is None:
                number = self._learned.get(_key_of(identity, timeouts, cookie))
                if number is None:
                    continue
            before, bytes_before = self._seen.get(identity, _UNSEEN)
            if packets < before or size < bytes_before:  # the flow was removed and made anew
                before, bytes_before = _UNSEEN
            seen[identity] = packets, size
            total = self._totals[number]
            total.packets += packets - before
            total.bytes += size - bytes_before
        self._seen = seen

    def release(self) -> None:
        """Forget all but the totals: the topology has no such bridge any more."""
        self._basis, self._made, self._seen = None, {}, {}


def counted(flows: Iterable[Flow]) -> Iterator[tuple[Flow, Learn | None]]:
    """The owners of counts: each line and, behind them, each learn() that marks its flows."""
    flows = list(flows)
    yield from ((flow, None) for flow in flows)
    for flow in flows:
        for each in nodes(flow):
            if isinstance(each, Learn) and each.cookie:
                yield flow, each


def _key(learn: Learn) -> _Learned:
    of = learn.all_settings
    return of["cookie"], of["table"], of["priority"], of["idle_timeout"], of["hard_timeout"]


def _key_of(identity: bytes, timeouts: bytes, cookie: int) -> _Learned:
    table, priority = IDENTITY.unpack_from(identity)
    idle, hard = int.from_bytes(timeouts[:2], "big"), int.from_bytes(timeouts[2:], "big")
    return cookie, table, priority, idle, hard
