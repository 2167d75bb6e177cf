"""Define the interface of a topology's source, for the controller and the companion alike.

A source holds a topology as text or as objects, and marks each of its states by a version. There is
one implementation, `file`: a file that people save. It does not know a topology's use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from dvr_ryu.topology.loading import Declaration


class Snapshot(Protocol):
    """The content of a source at one moment."""

    @property
    def version(self) -> str:
        """The identity of this state: equal versions declare the same."""

    def declaration(self, before: Declaration | None = None) -> Declaration:
        """Its declaration, which replaces `before`, which is in force. Raise FileError.

        Of a large topology this takes seconds.
        """


class Source(Protocol):
    """Holds a topology that others may change at any time."""

    @property
    def name(self) -> str:
        """Its name in messages."""

    def read(self) -> Snapshot:
        """Its present content. Raise Unreadable if this call cannot read it; a later one may."""

    def changed(self) -> bool:
        """Whether its content may have changed since the last call; True in the first one. It is
        cheap: callers may call it several times a second.
        """

    def watch(self, changed: Callable[[], object]) -> str:
        """Call `changed`, in a thread of its own, as soon as the content may have changed. Return
        nothing; or, if that is impossible, the reason: then only polling shows changes.
        """

    def end(self) -> None:
        """Stop watching."""
