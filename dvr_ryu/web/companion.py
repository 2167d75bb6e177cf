"""Serves a companion's metrics while it runs, in threads of their own.

The companion waits for no scrape. Where its address is occupied, a line in the log says so, and all
else goes on.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dvr_ryu.companion.providers.dnsmasq import leases
from dvr_ryu.companion.upkeep.observer import Observer, Silent
from dvr_ryu.ending import end, guard
from dvr_ryu.web.address import PageAddress
from dvr_ryu.web.messages import Request, Response
from dvr_ryu.web.server import Server

LOG = logging.getLogger("dvr_ryu")
"""The server's log: within the block its lines are beside the companion's own."""


@contextmanager
def served_metrics(address: PageAddress | None, option: str) -> Iterator[Observer]:
    """Within the block, serve the metrics of a companion that reports to this observer. Without an
    address, nothing is served, and reports are ignored. `option` gave the address.
    """
    if address is None:
        yield Silent()
        return
    from dvr_ryu.metrics.companion import CompanionMetrics
    from dvr_ryu.metrics.exposition import Exposition
    from dvr_ryu.web.metrics import PATH, metrics_route

    exposition = Exposition()
    observer = CompanionMetrics(exposition, leases.listed)
    handler = logging.StreamHandler(sys.stderr)
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    server = Server(address, {PATH: metrics_route(exposition), "/": _root}, "metrics", option)
    guard("companion")
    try:
        server.start()
    except RuntimeError as error:  # the system has no thread for it, and so none for the companion
        end("companion", error)
    try:
        yield observer
    finally:
        server.stop()
        LOG.removeHandler(handler)


def _root(_: Request) -> Response:
    return Response(b"dvr_ryu: a companion; its metrics are at /metrics\n")
