"""Limit the number of open connections of unknown bridges. Pure.

If one address has too many, one of its own is closed; if there are too many altogether, one of the
address that has the most. Of these the one with the least progress is closed, and the oldest of
them first. So a flood of connections does not keep out a switch, which needs a moment to send its
description.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Admission(Generic[T]):
    """The connections of unknown bridges, by address, the oldest first."""

    def __init__(self, progress: Callable[[T], int]) -> None:
        """`progress` returns the stage that a connection has reached."""
        self._progress = progress
        self._by_address: dict[str, dict[T, None]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def enter(self, connection: T, address: str, most_of_address: int, most: int) -> T | None:
        """Add a connection. If that exceeds the limit of its address, or the limit of all, take out
        another one and return it: the caller closes it.
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
        """Take a connection out: its bridge is known now, or it is closed."""
        of_address = self._by_address.get(address, {})
        if connection in of_address:
            del of_address[connection]
            self._count -= 1
            if not of_address:
                del self._by_address[address]

    def least(self) -> T | None:
        """Take out and return one of the address that has the most; None if there is none."""
        if not self._by_address:
            return None
        return self._least(max(self._by_address, key=lambda it: len(self._by_address[it])))

    def _least(self, address: str) -> T:
        connection = min(self._by_address[address], key=self._progress)
        self.leave(connection, address)
        return connection
