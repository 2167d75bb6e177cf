"""Write the reference of all metrics, as RST. Pure; it is made of `catalogue`."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from dvr_ryu.metrics.catalogue import BOTH, BUCKETS, COMPANION, CONTROLLER
from dvr_ryu.metrics.metric import Metric

HEADER = """\
.. Printed by `dvr docs --metrics`. Do not edit: `make docs` writes it anew.

All metrics
===========

`Monitoring <monitoring.rst>`_ tells how to scrape them. Each entry has the name, the type, the
labels and the help text. Names are stable. The values of labels are those of the topology, of
``flows/`` or of a fixed list. Both programs also have the ``process_`` metrics of Prometheus'
client library: processor time, memory, open files.
"""
_WIDTH = 100


def reference() -> str:
    """The whole document."""
    sections = (("Controller", CONTROLLER), ("Companion", COMPANION), ("Both programs", BOTH))
    lines = [HEADER]
    for title, metrics in sections:
        lines += [title, "-" * len(title), "", *_entries(metrics)]
    bounds = ", ".join(f"{bound:g}" for bound in BUCKETS)
    lines += textwrap.wrap(f"The bounds of a histogram's buckets are {bounds} seconds.", _WIDTH)
    return "\n".join(lines) + "\n"


def _entries(metrics: Iterable[Metric]) -> Iterator[str]:
    for metric in metrics:
        labels = ", ".join(f"``{label}``" for label in metric.labels)
        yield " : ".join(filter(None, [f"``{metric.name}``", metric.type.value, labels]))
        text = metric.help.replace("flows/", "``flows/``")
        yield from textwrap.wrap(
            text, _WIDTH, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
        )
        yield ""
