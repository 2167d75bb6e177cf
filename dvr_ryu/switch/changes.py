"""What changed on a bridge, in words: how many flows of which table, and which flows.

Text is made of the flows that are printed, never of all that changed.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping

from dvr_ryu.pipeline.program import Wanted
from dvr_ryu.pipeline.wire import table_of
from dvr_ryu.reconcile import Difference

MOST_LINES = 20
"""How many lines are printed of one change; the flows that are left over are counted."""

Change = Difference[bytes, bytes]
Flows = Mapping[bytes, Wanted]


def by_table(change: Change) -> str:
    """How many flows of each table changed."""
    counts: dict[int, int] = defaultdict(int)
    for part in (change.added, change.changed, change.removed):
        for identity in part:
            counts[table_of(identity)] += 1
    return ", ".join(f"table {table}: {count}" for table, count in sorted(counts.items()))


def diff_lines(change: Change, before: Flows, after: Flows) -> Iterator[str]:
    """The change as `ovs-ofctl diff-flows` prints it, in the order of tables: a line with - for
    each flow that was there, one with + for each that is there now.

    A flow that was there without having been wanted is known by its bytes only, and is counted
    instead.
    """
    rest = deque(sorted([*change.added, *change.changed, *change.removed]))
    room, untold = MOST_LINES, 0
    while rest and len(lines := list(_lines(change, before, after, rest[0]))) <= room:
        yield from lines
        room -= len(lines)
        untold += not lines
        rest.popleft()
    if untold + len(rest):
        yield f"and {untold + len(rest)} more"


def _lines(change: Change, before: Flows, after: Flows, identity: bytes) -> Iterator[str]:
    replaced = change.changed.get(identity)
    old = replaced.old if replaced else change.removed.get(identity)
    was = before.get(identity)
    if was and was.value == old:
        yield f"-{was.filled()}"
    if identity not in change.removed:
        yield f"+{after[identity].filled()}"
