"""The reports that the companion makes of its work, for metrics. It measures nothing itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from attrs import frozen

from dvr_ryu.companion.change import HostChange
from dvr_ryu.companion.foreign import FirewallRules, ForeignItem
from dvr_ryu.companion.resources.resource import Resource


@frozen
class Round:
    """The result of one look at the host, and of the changes that followed."""

    state: str
    """applied, moving or failed."""
    seconds: float
    holding: Sequence[Resource]
    """The resources that are known to hold on the host; none if it refused something."""
    foreign: Collection[ForeignItem]
    foreign_rules: Collection[FirewallRules]
    is_led: bool
    """Whether a controller is connected."""


class Observer(Protocol):
    """Gets the reports. Its methods return at once and raise nothing."""

    def read(self, seconds: float) -> None:
        """A new version of the topology was read, and is in force."""

    def refused(self, error: Exception) -> None:
        """The topology cannot be read, or is wrong; every round reports it until it is right."""

    def applied(self, change: HostChange, seconds: float, edited: bool) -> None:
        """A change, which is not empty, was made: for an edit, or to mend drift."""

    def ended(self, round: Round) -> None:
        """A round has ended."""


class Silent:
    """An observer that ignores all reports."""

    def read(self, seconds: float) -> None:
        """Ignore it."""

    def refused(self, error: Exception) -> None:
        """Ignore it."""

    def applied(self, change: HostChange, seconds: float, edited: bool) -> None:
        """Ignore it."""

    def ended(self, round: Round) -> None:
        """Ignore it."""
