"""Finds flows that name a port which dvr does not make: bridges have them only with that port."""

from __future__ import annotations

from collections.abc import Iterator

from dvr_ryu.errors import Problem
from dvr_ryu.pipeline.language.operands import PortName, unknowns
from dvr_ryu.pipeline.language.pipeline import Pipeline
from dvr_ryu.pipeline.language.port_names import is_ours


def foreign(pipeline: Pipeline) -> Iterator[Problem]:
    """Warnings of ports that people must add by hand. A port that the bridge cannot have is an
    error already when its line is read.
    """
    for _, flow in pipeline.flows():
        names = [each.name for each in unknowns(flow) if isinstance(each, PortName)]
        for name in dict.fromkeys(names):
            if not is_ours(pipeline.bridge, name):
                assert flow.location
                message = (
                    f"dvr makes no port '{name}' on {pipeline.bridge}: the bridge has this flow "
                    "only while somebody adds the port"
                )
                yield Problem(flow.location, message, warning=True)
