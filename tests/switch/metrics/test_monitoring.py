"""The alert rules, the dashboard and the example of Prometheus' configuration: promtool takes them,
and they name no metric that does not exist.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from dvr_ryu.metrics.catalogue import BOTH, COMPANION, CONTROLLER
from dvr_ryu.metrics.metric import Type

FOLDER = Path(__file__).parents[3] / "packaging" / "monitoring"
PARTS = {Type.HISTOGRAM: ("_bucket", "_sum", "_count")}
NAMES = {
    f"{metric.name}{part}"
    for metric in (*BOTH, *CONTROLLER, *COMPANION)
    for part in PARTS.get(metric.type, ("",))
}


def promtool(*arguments: str) -> str:
    done = subprocess.run(["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rules() -> list[Any]:
    groups = yaml.safe_load((FOLDER / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> Iterator[str]:
    """Every expression of the dashboard, with a duration for Grafana's variable."""
    for panel in json.loads((FOLDER / "dashboard.json").read_text())["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"].replace("$__rate_interval", "1m")


def test_promtool_takes_the_rules_and_the_configuration():
    assert f"SUCCESS: {len(rules())} rules found" in promtool("check", "rules", "alerts.yml")
    assert "is valid" in promtool("check", "config", "prometheus.yml")


def test_each_rule_fires_when_it_should():
    assert "SUCCESS" in promtool("test", "rules", "alerts-tests.yml")
    tried = (FOLDER / "alerts-tests.yml").read_text()
    for rule in rules():
        assert rule["alert"] in tried
        assert rule["annotations"].keys() == {"summary", "description"}


def test_a_rule_that_is_wrong_is_found(tmp_path: Path):
    """promtool would not fail for a case that tries nothing: each rule is broken once."""
    text = (FOLDER / "alerts.yml").read_text()
    (tmp_path / "alerts-tests.yml").write_text((FOLDER / "alerts-tests.yml").read_text())
    for rule in rules():
        broken = text.replace(f"expr: {rule['expr']}\n", "expr: vector(0) > 1\n")
        assert broken != text
        (tmp_path / "alerts.yml").write_text(broken)
        done = subprocess.run(
            ["promtool", "test", "rules", "alerts-tests.yml"], cwd=tmp_path, capture_output=True
        )
        assert done.returncode == 1, rule["alert"]


def test_the_dashboard_is_made_of_expressions_that_prometheus_reads(tmp_path: Path):
    found = [{"record": f"panel_{at}", "expr": each} for at, each in enumerate(expressions())]
    file = tmp_path / "panels.yml"
    file.write_text(json.dumps({"groups": [{"name": "panels", "rules": found}]}))
    assert f"{len(found)} rules found" in promtool("check", "rules", str(file))


def test_only_metrics_are_named_that_there_are():
    texts = [*expressions(), *(rule["expr"] for rule in rules())]
    named = {name for text in texts for name in re.findall(r"\bdvr_[a-z_]+", text)}
    assert named - {"dvr_controller", "dvr_companion"} <= NAMES
    assert len(named) > 15


def test_panels_have_titles_descriptions_and_ids_of_their_own():
    panels = json.loads((FOLDER / "dashboard.json").read_text())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        assert panel["title"] and (panel["type"] == "row" or panel["description"])
