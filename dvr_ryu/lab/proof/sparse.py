"""Chooses pairs of many things: not all pairs, but enough that each thing is in some. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from itertools import chain

FEW = 6
"""All pairs of at most so many things are chosen."""
ENOUGH = 3
"""If there are more things, each is in so many pairs, if there are that many. Its partners are its
nearest possible ones, if all things stand in a circle."""

Names = frozenset[str]
"""Two names, or one name paired with itself."""


def chosen(possible: Iterable[tuple[Hashable, Names]]) -> set[tuple[Hashable, Names]]:
    """Choose from the possible pairs, each of which is within a scope. A scope gets at most ENOUGH
    times as many pairs as it has things, and every pair of a thing with itself.
    """
    by_scope: dict[Hashable, dict[Names, None]] = {}
    for scope, pair in possible:
        by_scope.setdefault(scope, {})[pair] = None
    return {(scope, pair) for scope, pairs in by_scope.items() for pair in _sparse(pairs)}


def _sparse(pairs: Iterable[Names]) -> Iterable[Names]:
    pairs = list(pairs)
    things = sorted({*chain.from_iterable(pairs)})
    if len(things) <= FEW:
        return pairs
    position = {thing: number for number, thing in enumerate(things)}

    def distance(pair: Names) -> int:
        apart = max(map(position.__getitem__, pair)) - min(map(position.__getitem__, pair))
        return min(apart, len(things) - apart)

    tried: Counter[str] = Counter()
    found: list[Names] = []
    for pair in sorted(pairs, key=distance):
        if len(pair) == 1:
            found.append(pair)
        elif any(tried[thing] < ENOUGH for thing in pair):
            found.append(pair)
            tried.update(pair)
    return found
