"""Counts and times the readings of saved inputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from dvr_ryu.errors import DvrError
from dvr_ryu.metrics.catalogue import RELOAD_SUCCESSFUL, RELOAD_TIME, RELOADS, STEP
from dvr_ryu.metrics.exposition import Exposition, family

Apart: TypeAlias = Callable[[Callable[[], Any]], Any]

READ = "read"
APPLIED, UNCHANGED, REFUSED = "applied", "unchanged", "refused"


class Reloads(Collector):
    """The readings of one program, which has good inputs when it starts."""

    def __init__(self, exposition: Exposition, steps: Iterable[str]) -> None:
        """`steps` are the program's other steps."""
        self.steps = exposition.histogram(STEP)
        """Durations of steps; this file observes "read"."""
        for step in (READ, *steps):
            self.steps.labels(step)
        self._outcomes = exposition.counter(RELOADS)
        for outcome in (APPLIED, UNCHANGED, REFUSED):
            self._outcomes.labels(outcome)
        self._good, self._since = True, time.time()
        exposition.add(self)

    def watch(self, reload: Callable[[Apart], bool], apart: Apart) -> bool:
        """Call `reload` with `apart`, which it calls if there is something to read; return whether
        the inputs changed. Raises DvrError as `reload`.
        """
        readings: list[float] = []

        def timed(read: Callable[[], Any]) -> Any:
            began = time.monotonic()
            try:
                return apart(read)
            finally:
                readings.append(time.monotonic() - began)

        try:
            changed = reload(timed)
        except DvrError:
            self.done(REFUSED, *readings)
            raise
        if readings:
            self.done(APPLIED if changed else UNCHANGED, *readings)
        return changed

    def done(self, outcome: str, *seconds: float) -> None:
        """Count a reading with its outcome, and its seconds if they are known."""
        self._outcomes.labels(outcome).inc()
        for each in seconds:
            self.steps.labels(READ).observe(each)
        self._good = outcome != REFUSED
        if self._good:
            self._since = time.time()

    def collect(self) -> Iterator[Family]:
        """Whether the last reading was good, and since when its inputs are in force."""
        yield family(RELOAD_SUCCESSFUL, float(self._good))
        yield family(RELOAD_TIME, self._since)
