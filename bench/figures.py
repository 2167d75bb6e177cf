"""A figure: one line of the result, ours beside a peer's, and whether it meets its goal.

A value. It measures nothing; `alternate` says in which order others measure.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from attrs import frozen


@frozen
class Goal:
    """At most `limit`: times the peer, or (if `absolute`) in the figure's own unit."""

    limit: float
    absolute: bool = False


@frozen
class Figure:
    """What was measured: `name` says what was done, `peer_name` what the peer did. Less is better.

    `peer` is in the same unit as `ours`, and None where nothing compares.
    """

    name: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """Ours divided by the peer's; None where there is no peer, or it took nothing."""
        return self.ours / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None where there is none. Unmet where there is no ratio to
        judge.
        """
        if self.goal is None:
            return None
        judged = self.ours if self.goal.absolute else self.ratio
        return judged is not None and judged <= self.goal.limit

    def goal_text(self) -> str:
        """The goal as it is printed: "ratio ≤ 1.3", "≤ 250 MiB"; empty where there is none."""
        if self.goal is None:
            return ""
        limit = f"≤ {self.goal.limit:g}"
        return f"{limit} {self.unit}".rstrip() if self.goal.absolute else f"ratio {limit}"

    def as_json(self) -> dict[str, Any]:
        """The object of bench/results.json."""
        return {
            "name": self.name,
            "ours": self.ours,
            "peer": self.peer,
            "peer_name": self.peer_name,
            "unit": self.unit,
            "ratio": self.ratio,
            "goal": self.goal_text(),
            "met": self.met,
        }


def spaced(number: int) -> str:
    """A number for people: "20 000"."""
    return f"{number:,}".replace(",", " ")


def alternate(rounds: int, *measures: Callable[[], float]) -> list[float]:
    """The median of each measure. They take turns, so that what slows the machine for a while slows
    all of them.
    """
    taken = [[measure() for measure in measures] for _ in range(rounds)]
    return [median(column) for column in zip(*taken, strict=True)]
