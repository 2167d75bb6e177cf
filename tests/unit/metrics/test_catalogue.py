"""The names of metrics follow Prometheus' conventions, and their help says something."""

from __future__ import annotations

import re

import pytest

from dvr_ryu.metrics.catalogue import BOTH, COMPANION, CONTROLLER
from dvr_ryu.metrics.metric import Metric, Type

ALL = (*BOTH, *CONTROLLER, *COMPANION)


def test_no_name_is_used_twice():
    assert len({each.name for each in ALL}) == len(ALL)


@pytest.mark.parametrize("metric", ALL, ids=lambda each: each.name)
def test_a_metric_is_named_and_described(metric: Metric):
    assert re.fullmatch(r"dvr_[a-z]+(_[a-z]+)*", metric.name)
    assert metric.name.endswith("_total") == (metric.type is Type.COUNTER)
    assert metric.name.endswith("_seconds") == (
        metric.type is Type.HISTOGRAM or "timestamp" in metric.name
    )
    assert re.fullmatch(r"[A-Z].*[.]", metric.help, re.DOTALL)
    assert "\n" not in metric.help
