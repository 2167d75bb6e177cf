"""Where a topology comes from: one interface, for the controller and the companion alike.

A source holds a topology as text or as objects, and marks each of its states by a version. There is
one implementation, `file`: a file that people save. Nothing here knows what a topology is for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from dvr_ryu.topology.loading import Declaration


class Snapshot(Protocol):
    """What a source held at one moment."""

    @property
    def version(self) -> str:
        """What tells this state from others: equal versions declare the same."""

    def declaration(self, before: Declaration | None = None) -> Declaration:
        """What it declares, in place of `before`, which is in force. Raise FileError.

        Of a large topology this takes seconds.
        """


class Source(Protocol):
    """Holds a topology that others may change at any time."""

    @property
    def name(self) -> str:
        """What messages call it."""

    def read(self) -> Snapshot:
        """What it holds now. Raise Unreadable if that cannot be read: it may be another time."""

    def changed(self) -> bool:
        """Whether it may hold something else than at the last call; True in the first one. Costs
        little: it may be asked several times a second.
        """

    def watch(self, changed: Callable[[], object]) -> str:
        """Call `changed`, in a thread of its own, as soon as there may be something else to read.
        Return why that is not possible, or nothing; then only asking again tells.
        """

    def end(self) -> None:
        """Watch no longer."""
