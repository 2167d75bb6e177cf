"""A figure is one line of the result: our value, a peer's, and whether the goal is met.

It is a value and measures nothing; `alternate` chooses the order of measurements.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

from attrs import frozen


@frozen
class Goal:
    """The limit: a multiple of the peer's value, or (if `absolute`) a value in the figure's
    unit.
    """

    limit: float
    absolute: bool = False


@frozen
class Figure:
    """A measured value. `name` is our action, `peer_name` the peer's. Less is better.

    `peer` has the same unit as `ours`; it is None if there is nothing to compare with.
    """

    name: str
    unit: str
    ours: float
    peer: float | None = None
    peer_name: str = ""
    goal: Goal | None = None

    @property
    def ratio(self) -> float | None:
        """Our value divided by the peer's; None if there is no peer, or if its value is 0."""
        return self.ours / self.peer if self.peer else None

    @property
    def met(self) -> bool | None:
        """Whether the goal is met; None if there is no goal, False if a goal needs a ratio that is
        None.
        """
        if self.goal is None:
            return None
        judged = self.ours if self.goal.absolute else self.ratio
        return judged is not None and judged <= self.goal.limit

    def goal_text(self) -> str:
        """The printed goal: "ratio ≤ 1.3", "≤ 250 MiB"; empty if there is none."""
        if self.goal is None:
            return ""
        limit = f"≤ {self.goal.limit:g}"
        return f"{limit} {self.unit}".rstrip() if self.goal.absolute else f"ratio {limit}"

    def as_json(self) -> dict[str, Any]:
        """The object in bench/results.json."""
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
    """The number with spaces: "20 000"."""
    return f"{number:,}".replace(",", " ")


def alternate(rounds: int, *measures: Callable[[], float]) -> list[float]:
    """The median of each measure. The measures alternate, so that a slow phase of the machine
    affects all of them.
    """
    taken = [[measure() for measure in measures] for _ in range(rounds)]
    return [median(column) for column in zip(*taken, strict=True)]
