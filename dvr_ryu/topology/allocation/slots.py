"""Choose numbers and hosts by name: the same on every machine and at any time. Pure.

A pool assigns numbers by a hash of the claimant's name, and probes on after a collision. So a
number moves only where an edit frees or takes a slot with which its claimant collided. The hash is
BLAKE2: the same on every machine and in every Python, which the built-in hash() is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import blake2b
from uuid import UUID, uuid5

NAMESPACE = UUID("5d1c8c52-6a0c-5d8e-9a37-6f0c6a1b7d11")
"""Of the ids made here (RFC 4122, version 5)."""

ID_PREFIX = 10
"""So many characters of an id are in a device's name: 14 less the longest prefix, rfp-."""


def stable_hash(text: str) -> int:
    """64 bits that depend on the text alone."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


def preferred(name: str, candidates: Iterable[str]) -> str:
    """Rendezvous hashing: the candidate that weighs most for this name.

    Another candidate, or one less, moves only the names that it wins or had won.
    """
    return max(candidates, key=lambda each: (stable_hash(f"{name} {each}"), each))


class Exhausted(Exception):
    """A pool has no number left."""


class Slots:
    """Numbers of a range, each assigned once. Claim in sorted order: the order matters."""

    def __init__(
        self, numbers: range, taken: Iterable[int] = (), holes: Sequence[range] = ()
    ) -> None:
        """`taken` are pinned; numbers outside of the range do not matter. `holes` lie within, apart
        from one another: none of their numbers is assigned.
        """
        self._numbers = numbers
        self._holes = holes
        self._taken = {each for each in taken if each in numbers and not self._hole_of(each)}
        self._room = len(numbers) - sum(map(len, holes))

    def take(self, name: str) -> int:
        """The number for a name; raises Exhausted."""
        return self.take_near(stable_hash(name))

    def take_near(self, home: int) -> int:
        """As `take`, for a name whose stable_hash is `home`: for many pools with the same names."""
        numbers, taken = self._numbers, self._taken
        if len(taken) == self._room:
            raise Exhausted
        index = home % len(numbers)
        while (hole := self._hole_of(numbers[index])) or numbers[index] in taken:
            index = ((numbers.index(hole[-1]) if hole else index) + 1) % len(numbers)
        taken.add(numbers[index])
        return numbers[index]

    def _hole_of(self, number: int) -> range | None:
        if not self._holes:
            return None
        return next((hole for hole in self._holes if number in hole), None)


class Ids:
    """Ids of objects; no two have the same prefix in a device's name."""

    def __init__(self, taken: Iterable[str]) -> None:
        self._begun = {id[:ID_PREFIX] for id in taken}

    def take(self, name: str) -> str:
        """The id for a name: a UUID of version 5."""
        id = str(uuid5(NAMESPACE, name))
        while id[:ID_PREFIX] in self._begun:
            id = str(uuid5(NAMESPACE, id))
        self._begun.add(id[:ID_PREFIX])
        return id
