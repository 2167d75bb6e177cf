"""A program's metrics as the text that Prometheus scrapes.

Making the text costs the program time. So it makes a text at most once a second, however often it
is scraped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from dvr_ryu.metrics.catalogue import BUCKETS, BUILD_INFO
from dvr_ryu.metrics.metric import Metric, Type

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FRESH_SECONDS = 1.0
"""So long a text is used again."""

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]


class Exposition:
    """The metrics of one program."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._making = threading.Lock()
        self._text = b""
        self._made = float("-inf")
        ProcessCollector(registry=self._registry)
        self.add(_Constant([family(BUILD_INFO, {(version("dvr_ryu"),): 1})]))

    def add(self, collector: Collector) -> None:
        """Let a collector yield its metrics for each text."""
        self._registry.register(collector)

    def counter(self, metric: Metric) -> Counter:
        """A counter that is counted up where things happen."""
        return Counter(metric.name, metric.help, metric.labels, registry=self._registry)

    def histogram(self, metric: Metric) -> Histogram:
        """A histogram that observes durations where they end."""
        return Histogram(
            metric.name, metric.help, metric.labels, registry=self._registry, buckets=BUCKETS
        )

    def text(self) -> bytes:
        """All metrics, in the format of `CONTENT_TYPE`."""
        with self._making:
            if time.monotonic() - self._made > FRESH_SECONDS:
                self._text = prometheus_client.generate_latest(self._registry)
                self._made = time.monotonic()
            return self._text


class _Constant(Collector):
    def __init__(self, families: Iterable[Family]) -> None:
        self._families = list(families)

    def collect(self) -> Iterable[Family]:
        return self._families


def family(metric: Metric, values: Mapping[tuple[str, ...], float] | float) -> Family:
    """The present values of a gauge or counter: values of its labels → number; or one number."""
    kind = CounterMetricFamily if metric.type is Type.COUNTER else GaugeMetricFamily
    made = kind(metric.name, metric.help, labels=metric.labels)
    for labels, value in values.items() if isinstance(values, Mapping) else [((), values)]:
        made.add_metric(labels, value)
    return made
