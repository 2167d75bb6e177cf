"""A companion's metrics: its host's resources, drift, and leases.

The companion's own thread reports to `CompanionMetrics`; other threads, which serve scrapes, read
its last report. A scrape itself reads only the leases, from the files of dnsmasq.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from dvr_ryu.metrics import catalogue as metrics
from dvr_ryu.metrics.exposition import Exposition, family
from dvr_ryu.metrics.reloads import APPLIED, REFUSED, Reloads

if TYPE_CHECKING:
    from dvr_ryu.companion.change import HostChange
    from dvr_ryu.companion.providers.dnsmasq.leases import Lease
    from dvr_ryu.companion.upkeep.observer import Round

APPLY, ROUND = "apply", "round"
EDIT, DRIFT = "edit", "drift"
STATES = ("applied", "moving", "failed")


class CompanionMetrics(Collector):
    """Counts a companion's work: the `Observer` that it reports to."""

    def __init__(self, exposition: Exposition, leases: Callable[[], Iterable[Lease]]) -> None:
        """`leases` reads the leases of this host's servers."""
        self._leases = leases
        self._reloads = Reloads(exposition, (APPLY, ROUND))
        self._refusal = ""
        self._round: Round | None = None
        self._ended = 0.0
        self._rounds = exposition.counter(metrics.ROUNDS)
        for state in STATES:
            self._rounds.labels(state)
        self._applies = exposition.counter(metrics.APPLIES)
        for cause in (EDIT, DRIFT):
            self._applies.labels(cause)
        self._changes = exposition.counter(metrics.CHANGES)
        self._mended = exposition.counter(metrics.MENDED)
        exposition.add(self)

    # Reports of the companion ---------------------------------------------------------------------

    def read(self, seconds: float) -> None:
        """Count a new version of the topology."""
        self._refusal = ""
        self._reloads.done(APPLIED, seconds)

    def refused(self, error: Exception) -> None:
        """Count a mistake of the topology once, as long as it is the same."""
        if str(error) != self._refusal:
            self._refusal = str(error)
            self._reloads.done(REFUSED)

    def applied(self, change: HostChange, seconds: float, edited: bool) -> None:
        """Count a change of the host."""
        self._applies.labels(EDIT if edited else DRIFT).inc()
        self._reloads.steps.labels(APPLY).observe(seconds)
        for what, resources in (
            ("added", change.added),
            ("changed", [each.new for each in change.changed]),
            ("removed", change.removed),
        ):
            for kind, count in Counter(each.kind for each in resources).items():
                self._changes.labels(kind, what).inc(count)
                if not edited:
                    self._mended.labels(kind).inc(count)

    def ended(self, round: Round) -> None:
        """Take the result of a round."""
        self._rounds.labels(round.state).inc()
        self._reloads.steps.labels(ROUND).observe(round.seconds)
        self._round, self._ended = round, time.time()

    # A scrape -------------------------------------------------------------------------------------

    def describe(self) -> Iterator[Family]:
        """Nothing: names need not be known before the first scrape."""
        return iter(())

    def collect(self) -> Iterator[Family]:
        """The result of the last round, and the leases of now."""
        round = self._round
        if round is None:
            return
        yield family(metrics.STATE, {(each,): float(each == round.state) for each in STATES})
        yield family(metrics.ROUND_TIME, self._ended)
        yield family(metrics.LED, float(round.is_led))
        kinds = Counter(resource.kind for resource in round.holding)
        yield family(metrics.RESOURCES, {(kind,): count for kind, count in kinds.items()})
        foreign = Counter(item.what for item in round.foreign)
        foreign["rule"] = sum(rules.count + rules.drops for rules in round.foreign_rules)
        yield family(metrics.FOREIGN_ITEMS, {(kind,): count for kind, count in foreign.items()})
        yield family(metrics.LEASES, self._lease_counts())

    def _lease_counts(self) -> dict[tuple[str, ...], float]:
        now = time.time()
        counts: Counter[tuple[str, ...]] = Counter(
            (lease.network, str(bool(lease.instance)).lower())
            for lease in self._leases()
            if lease.expires == 0 or lease.expires > now
        )
        return dict(counts)
