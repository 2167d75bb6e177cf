"""How many connections may be open of which nobody knows yet whose they are. Pure.

Too many from one address cost that address one; too many altogether cost the address that has
most. The one that goes has come least far, and is the oldest of these. So a flood of connections
keeps no switch out, which needs a moment to say its name.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Admission(Generic[T]):
    """The connections that are not known yet, by address, the oldest first."""

    def __init__(self, progress: Callable[[T], int]) -> None:
        """`progress` tells how far a connection has come."""
        self._progress = progress
        self._by_address: dict[str, dict[T, None]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def enter(self, connection: T, address: str, most_of_address: int, most: int) -> T | None:
        """Let one in. Returns one that is to be closed for it, which has left already, if there
        are more than so many from its address, or altogether.
        """
        gone = None
        of_address = self._by_address.get(address, {})
        if connection in of_address:
            return None
        if len(of_address) >= most_of_address:
            gone = self._least(address)
        elif self._count >= most:
            gone = self.least()
        self._by_address.setdefault(address, {})[connection] = None
        self._count += 1
        return gone

    def leave(self, connection: T, address: str) -> None:
        """It is known now, or gone."""
        of_address = self._by_address.get(address, {})
        if connection in of_address:
            del of_address[connection]
            self._count -= 1
            if not of_address:
                del self._by_address[address]

    def least(self) -> T | None:
        """Let go of one of the address that has most, if there is any."""
        if not self._by_address:
            return None
        return self._least(max(self._by_address, key=lambda it: len(self._by_address[it])))

    def _least(self, address: str) -> T:
        connection = min(self._by_address[address], key=self._progress)
        self.leave(connection, address)
        return connection
