"""docs/metrics.rst has exactly the metrics that there are."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from dvr_ryu.cli import cli
from dvr_ryu.metrics.catalogue import BOTH, COMPANION, CONTROLLER

DOCS = Path(__file__).parents[3] / "docs" / "metrics.rst"


def test_it_is_up_to_date():
    printed = CliRunner().invoke(cli, ["docs", "--metrics"], catch_exceptions=False)
    assert DOCS.read_text(encoding="utf-8") == printed.output, "type make docs"


def test_each_metric_has_an_entry():
    entries = re.findall(r"^``(\w+)`` : ", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert entries == [each.name for each in (*CONTROLLER, *COMPANION, *BOTH)]
