"""The text of a bridge's change for the log: how many flows of which table, and which flows.

Only the flows that are printed become text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from dvr_ryu.pipeline.compile.basis import Basis
from dvr_ryu.pipeline.compile.flow_bytes import table_of
from dvr_ryu.pipeline.compile.template import Filled
from dvr_ryu.reconcile import Difference

MOST_LINES = 20
"""So many lines are printed of one change; the other flows are counted."""

FlowChange = Difference[bytes, bytes]


def occasion(before: Basis | None, after: Basis) -> str:
    """The kind of a change that the bridge itself caused, for `log_bridge`; empty for an edit."""
    if before is None:
        return "in sync"
    edited = before.lines is not after.lines or before.view.topology is not after.view.topology
    return "" if edited else "ports"


def in_sync(count: int, difference: FlowChange, seconds: float) -> str:
    """The line about a bridge that has its `count` flows after this change."""
    if not difference:
        return f"in sync: {count} flows, nothing to change"
    added, changed = len(difference.added), len(difference.changed)
    return (
        f"in sync: {count} flows, {added} added, {changed} changed, "
        f"{len(difference.removed)} removed in {1000 * seconds:.1f} ms ({by_table(difference)})"
    )


def by_table(change: FlowChange) -> str:
    """The number of changed flows of each table."""
    parts = (change.added, change.changed, change.removed)
    counts = Counter(table_of(identity) for part in parts for identity in part)
    return ", ".join(f"table {table}: {count}" for table, count in sorted(counts.items()))


def diff_lines(change: FlowChange, gone: Iterable[Filled], come: Iterable[Filled]) -> Iterator[str]:
    """The change as `ovs-ofctl diff-flows` prints it, in the order of tables: a line with - for
    each old flow, a line with + for each new flow.

    `gone` and `come` have at least the flows of the change. Of an old flow that was not desired,
    only the bytes are known; it is counted.
    """
    identities = sorted([*change.added, *change.changed, *change.removed])
    first = identities[:MOST_LINES]
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
    if counted + len(identities) - len(first):
        yield f"and {counted + len(identities) - len(first)} more"


def _printed(flows: dict[bytes, bytes], among: Iterable[Filled]) -> dict[bytes, str]:
    """The text of those flows (identity → value) that are among the filled ones."""
    found: dict[bytes, str] = {}
    if flows:
        for filled in among:
            for at, identity in enumerate(filled.identities):
                if flows.get(identity) == filled.values[at]:
                    found[identity] = str(filled.flow_at(at))
            if len(found) == len(flows):
                break
    return found
