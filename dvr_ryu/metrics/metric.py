"""A metric as a value: its name, type, labels and help text. Pure; it has no numbers."""

from __future__ import annotations

from enum import Enum

from attrs import frozen


class Type(Enum):
    """Prometheus' types of metrics."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@frozen
class Metric:
    """One metric. Its name is stable: dashboards and alert rules name it."""

    name: str
    """With its base unit, and a counter's _total."""
    type: Type
    help: str
    """One sentence, which documents show, too."""
    labels: tuple[str, ...] = ()


def gauge(name: str, help: str, *labels: str) -> Metric:
    """A number that rises and falls."""
    return Metric(name, Type.GAUGE, help, labels)


def counter(name: str, help: str, *labels: str) -> Metric:
    """A number that only rises while the program runs."""
    return Metric(name, Type.COUNTER, help, labels)


def histogram(name: str, help: str, *labels: str) -> Metric:
    """Durations in seconds, counted by their size."""
    return Metric(name, Type.HISTOGRAM, help, labels)
