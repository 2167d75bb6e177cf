"""What changed on a bridge, in words: how many flows of which table, and which flows.

Text is made of the flows that are printed, never of all that changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from dvr_ryu.pipeline.compile.basis import Basis
from dvr_ryu.pipeline.compile.flow_bytes import table_of
from dvr_ryu.pipeline.compile.template import Filled
from dvr_ryu.reconcile import Difference

MOST_LINES = 20
"""How many lines are printed of one change; the flows that are left over are counted."""

Change = Difference[bytes, bytes]


def occasion(before: Basis | None, after: Basis) -> str:
    """What a bridge may bring about as often as it likes; nothing if it was an edit."""
    if before is None:
        return "in sync"
    edited = before.lines is not after.lines or before.view.topology is not after.view.topology
    return "" if edited else "ports"


def in_sync(count: int, difference: Change, seconds: float) -> str:
    """What the log says of a bridge that has its flows now, so many, by this change."""
    if not difference:
        return f"in sync: {count} flows, nothing to change"
    added, changed = len(difference.added), len(difference.changed)
    return (
        f"in sync: {count} flows, {added} added, {changed} changed, "
        f"{len(difference.removed)} removed in {1000 * seconds:.1f} ms ({by_table(difference)})"
    )


def by_table(change: Change) -> str:
    """How many flows of each table changed."""
    parts = (change.added, change.changed, change.removed)
    counts = Counter(table_of(identity) for part in parts for identity in part)
    return ", ".join(f"table {table}: {count}" for table, count in sorted(counts.items()))


def diff_lines(change: Change, gone: Iterable[Filled], come: Iterable[Filled]) -> Iterator[str]:
    """The change as `ovs-ofctl diff-flows` prints it, in the order of tables: a line with - for
    each flow that was there, one with + for each that is there now.

    `gone` and `come` have at least the flows of the change. One that was there without having been
    wanted is known by its bytes only, and is counted instead.
    """
    told = sorted([*change.added, *change.changed, *change.removed])
    first = told[:MOST_LINES]
    old = {
        **{identity: replaced.old for identity, replaced in change.changed.items()},
        **change.removed,
    }
    was = _printed({identity: old[identity] for identity in first if identity in old}, gone)
    new = {**change.added, **{key: replaced.new for key, replaced in change.changed.items()}}
    now = _printed({identity: new[identity] for identity in first if identity in new}, come)
    room, counted = MOST_LINES, 0
    for identity in first:
        lines = [f"-{was[identity]}"] if identity in was else []
        lines += [f"+{now[identity]}"] if identity in now else []
        if not lines or len(lines) > room:
            counted += 1
            continue
        room -= len(lines)
        yield from lines
    if counted + len(told) - len(first):
        yield f"and {counted + len(told) - len(first)} more"


def _printed(flows: dict[bytes, bytes], among: Iterable[Filled]) -> dict[bytes, str]:
    """The text of flows (identity → value), as far as they are among those that were filled."""
    found: dict[bytes, str] = {}
    if flows:
        for filled in among:
            for at, identity in enumerate(filled.identities):
                if flows.get(identity) == filled.values[at]:
                    found[identity] = str(filled.flow_at(at))
            if len(found) == len(flows):
                break
    return found
