"""The route on which Prometheus scrapes a program's metrics."""

from __future__ import annotations

from dvr_ryu.metrics.exposition import CONTENT_TYPE, Exposition
from dvr_ryu.web.messages import Response, Route

PATH = "/metrics"
"""The usual path, at which Prometheus scrapes."""


def metrics_route(exposition: Exposition) -> Route:
    """A route that answers with a program's metrics; it ignores the query."""
    return lambda _: Response(exposition.text(), CONTENT_TYPE)
