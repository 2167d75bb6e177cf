"""Schedule repetitions: a few times, some seconds apart. Pure: the caller supplies the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

REPEATS = 2
"""The number of repetitions."""

Item = TypeVar("Item")


class Repeats(Generic[Item]):
    """Groups of items, each with the times at which it is due."""

    def __init__(self, pause: float) -> None:
        """`pause`: seconds between two times."""
        self._pause = pause
        self._groups: list[tuple[float, list[Item]]] = []

    def __bool__(self) -> bool:
        return bool(self._groups)

    def add(self, items: Sequence[Item], now: float) -> None:
        """Schedule items again, from `now` on."""
        if items:
            self._groups += [
                (now + self._pause * (1 + count), [*items]) for count in range(REPEATS)
            ]

    def due(self, now: float) -> Iterator[list[Item]]:
        """Yield each due group, and drop it for that time."""
        due = [items for time, items in self._groups if time <= now]
        self._groups = [each for each in self._groups if each[0] > now]
        yield from due

    def limit(self, remains: Callable[[Item], bool]) -> None:
        """Forget the items that do not remain."""
        self._groups = [(time, [*filter(remains, items)]) for time, items in self._groups]
