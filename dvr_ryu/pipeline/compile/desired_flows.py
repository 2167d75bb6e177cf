"""Tracks the desired flows of one bridge, as bytes, through all edits. Pure.

Several rows may make the same flow: it stays until the last of them is removed. This module refuses
two flows of one identity with different values; then nothing changes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from dvr_ryu.pipeline.compile.template import Filled


class Contradiction(Exception):
    """Two rows make flows of one identity with different values."""

    def __init__(self, identity: bytes) -> None:
        super().__init__(identity)
        self.identity = identity


class Exchange(NamedTuple):
    """The flows of an edit's identities, identity → value, before and after the edit."""

    before: dict[bytes, bytes]
    after: dict[bytes, bytes]


class DesiredFlows:
    """`flows`: identity → value of each flow that some row makes."""

    def __init__(self) -> None:
        self.flows: dict[bytes, bytes] = {}
        self._repeated: Counter[bytes] = Counter()
        """Flow → the number of rows that make it, without the first."""

    def add(self, filled: Filled) -> dict[bytes, bytes]:
        """Add flows. Returns those that no row made before; raises Contradiction."""
        new = dict(zip(filled.identities, filled.values, strict=True))
        if len(new) < len(filled.identities) or not self.flows.keys().isdisjoint(new):
            exchange = self.exchange((), (filled,))
            return {key: exchange.after[key] for key in exchange.after.keys() - exchange.before}
        self.flows.update(new)
        return new

    def exchange(self, removed: Collection[Filled], added: Collection[Filled]) -> Exchange:
        """Replace the removed flows, which are here, by the added ones. Raises Contradiction."""
        leaving = Counter(identity for filled in removed for identity in filled.identities)
        coming = Counter(identity for filled in added for identity in filled.identities)
        values = _one_value_each(added)
        before: dict[bytes, bytes] = {}
        after: dict[bytes, bytes] = {}
        counts: dict[bytes, int] = {}
        for identity in leaving | coming:
            value = self.flows.get(identity)
            staying = self._count(identity) - leaving[identity]
            if value is not None:
                before[identity] = value
                if staying and values.setdefault(identity, value) != value:
                    raise Contradiction(identity)
            counts[identity] = staying + coming[identity]
            if counts[identity]:
                after[identity] = values[identity]
        self._replace(before, after, counts)
        return Exchange(before, after)

    def _count(self, identity: bytes) -> int:
        return self._repeated[identity] + 1 if identity in self.flows else 0

    def _replace(
        self, before: dict[bytes, bytes], after: dict[bytes, bytes], counts: dict[bytes, int]
    ) -> None:
        for identity in before.keys() - after:
            del self.flows[identity]
        self.flows.update(after)
        for identity, count in counts.items():
            if count > 1:
                self._repeated[identity] = count - 1
            else:
                self._repeated.pop(identity, None)


def _one_value_each(added: Collection[Filled]) -> dict[bytes, bytes]:
    values: dict[bytes, bytes] = {}
    for filled in added:
        for identity, value in zip(filled.identities, filled.values, strict=True):
            if values.setdefault(identity, value) != value:
                raise Contradiction(identity)
    return values
