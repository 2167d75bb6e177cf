"""Taps: devices whose other end is a program's, such as a virtual machine's. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.resources.resource import Key, Resource

NOTES = f"{RUN_DIRECTORY}/taps"
"""One empty file per tap of ours; written before it is made, removed after it is gone."""


def tap_key(name: str) -> Key:
    """The key of a tap."""
    return ("tap", name)


@frozen
class Tap(Resource):
    """A tap in the host's own namespace. It stays when no program has its other end."""

    kind = "tap"
    identity = ("name",)
    notes = (NOTES,)
    name: str

    @property
    def programs(self) -> tuple[str, ...]:
        """The program ip, in scripts."""
        return ("ip",)

    def describe(self) -> str:
        """Add it."""
        return f"ip tuntap add {self.name} mode tap"

    def make_lines(self, old: Tap | None, host: str) -> Iterator[str]:
        """Note that it is ours, then add it."""
        yield f": > {NOTES}/{self.name}"
        yield self.describe()

    def remove_lines(self, host: str) -> Iterator[str]:
        """Remove it, then the note."""
        yield f"ip link del {self.name}"
        yield f"rm -f {NOTES}/{self.name}"
