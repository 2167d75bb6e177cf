"""How many connections may be open of which nobody knows yet whose they are. Pure.

Too many from one address cost that address its oldest; too many altogether cost the address that
has most. So nobody who floods keeps a switch out that needs a moment to say its name.
"""

from __future__ import annotations

from typing import Generic, TypeVar

T = TypeVar("T")


class Admission(Generic[T]):
    """The connections that are not known yet, by address, the oldest first."""

    def __init__(self) -> None:
        self._by_address: dict[str, dict[T, None]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._by_address.values()))

    def enter(self, connection: T, address: str, most_of_address: int, most: int) -> T | None:
        """Let one in. Returns one that is to be closed for it, which has left already, if there
        are more than so many from its address, or altogether.
        """
        self._by_address.setdefault(address, {})[connection] = None
        if len(self._by_address[address]) > most_of_address:
            return self._oldest(address)
        if len(self) > most:
            return self._oldest(max(self._by_address, key=lambda it: len(self._by_address[it])))
        return None

    def leave(self, connection: T, address: str) -> None:
        """It is known now, or gone."""
        if of_address := self._by_address.get(address):
            of_address.pop(connection, None)
            if not of_address:
                del self._by_address[address]

    def oldest(self) -> T | None:
        """Let go of the oldest of the address that has most, if there is any."""
        if not self._by_address:
            return None
        return self._oldest(max(self._by_address, key=lambda it: len(self._by_address[it])))

    def _oldest(self, address: str) -> T:
        connection = next(iter(self._by_address[address]))
        self.leave(connection, address)
        return connection
