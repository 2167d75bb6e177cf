"""Subtract installed from desired, and order the change. Pure; it knows no switch and no kernel.

Desired and installed are mappings from an identity to a value: (table, priority, match) to a flow's
rest, or a resource's key to the resource. An identity has all that cannot be changed in place.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from operator import eq
from typing import Generic, TypeVar

from attrs import frozen

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@frozen
class Replacement(Generic[V]):
    """An installed value, and the desired one."""

    old: V
    new: V


@frozen
class Difference(Generic[K, V]):
    """The entries to add, to change in place and to remove; false if there are none."""

    added: Mapping[K, V]
    changed: Mapping[K, Replacement[V]]
    removed: Mapping[K, V]

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)

    def __len__(self) -> int:
        return len(self.added) + len(self.changed) + len(self.removed)


def subtract(
    should: Mapping[K, V], is_: Mapping[K, V], alike: Callable[[V, V], bool] = eq
) -> Difference[K, V]:
    """Return the change from `is_` to `should`, each part in its mapping's order. `alike` decides
    whether unequal values need no change.
    """
    if should == is_:
        return Difference({}, {}, {})
    if not is_:
        return Difference(should, {}, {})
    return Difference(
        added={key: value for key, value in should.items() if key not in is_},
        changed={
            key: Replacement(is_[key], value)
            for key, value in should.items()
            if key in is_ and not (is_[key] is value or is_[key] == value or alike(is_[key], value))
        },
        removed={key: value for key, value in is_.items() if key not in should},
    )


def together(parts: Iterable[Difference[K, V]]) -> Difference[K, V]:
    """The whole of a difference that was made in parts."""
    added: dict[K, V] = {}
    changed: dict[K, Replacement[V]] = {}
    removed: dict[K, V] = {}
    for part in parts:
        added.update(part.added)
        changed.update(part.changed)
        removed.update(part.removed)
    return Difference(added, changed, removed)


def subtract_in_parts(
    should: Iterable[Mapping[K, V]], is_: Mapping[K, V], alike: Callable[[V, V], bool] = eq
) -> Iterator[Difference[K, V]]:
    """`subtract` for a desired mapping that arrives in parts: yield the additions and changes of
    each part at once, and the removals at the end. No key is in two parts.
    """
    rest = dict(is_)
    for part in should:
        found = {key: rest.pop(key) for key in part if key in rest} if rest else {}
        yield subtract(part, found, alike)
    yield subtract({}, rest)


class CycleError(Exception):
    """Keys need one another: a mistake in the program, not in its input."""


def order(keys: Iterable[K], needs: Callable[[K], Iterable[K]]) -> list[list[K]]:
    """Arrange `keys` in steps: the direct needs of a key are in earlier steps than the key.

    Needed things that are not among `keys` count as present. Each step has the order of `keys`. Add
    in this order, remove in the reverse.
    """
    wanted = list(dict.fromkeys(keys))
    among = set(wanted)
    open_needs = {key: {need for need in needs(key) if need in among} for key in wanted}
    needed_by: dict[K, list[K]] = {}
    for key, its_needs in open_needs.items():
        for need in its_needs:
            needed_by.setdefault(need, []).append(key)
    position = {key: number for number, key in enumerate(wanted)}
    steps: list[list[K]] = []
    step = [key for key in wanted if not open_needs[key]]
    while step:
        steps.append(step)
        freed: list[K] = []
        for key in step:
            for dependent in needed_by.get(key, ()):
                open_needs[dependent].discard(key)
                if not open_needs[dependent]:
                    freed.append(dependent)
        step = sorted(freed, key=position.__getitem__)
    if sum(map(len, steps)) < len(wanted):
        raise CycleError(f"these need one another: {[k for k in wanted if open_needs[k]]}")
    return steps
