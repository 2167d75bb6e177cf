"""The workflow and the hooks call only programs and targets that exist."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
HOOKS = ROOT / ".pre-commit-config.yaml"
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


def test_pre_commit_reads_its_file() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(HOOKS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_hooks_run_the_programs_of_the_environment() -> None:
    hooks = yaml.safe_load(HOOKS.read_text())["repos"][0]["hooks"]
    entries = [each["entry"].split() for each in hooks]
    assert {command[0] for command in entries} == {
        ".venv/bin/ruff",
        ".venv/bin/mypy",
        ".venv/bin/pytest",
    }
    paths = [token for command in entries for token in command if token.startswith("tests/")]
    assert paths and all((ROOT / path).exists() for path in paths)


def test_workflow_runs_lint_the_units_on_every_python_and_the_wheel() -> None:
    jobs = yaml.safe_load(WORKFLOW.read_text())["jobs"]
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    run = [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]
    called = {
        target for each in run for target in re.findall(r"^(?:sudo .*)?make ([\w-]+)$", each, re.M)
    }
    assert {"lint", "unit", "test-wheelhouse"} <= called <= targets
    pythons = re.findall(r":: Python :: (3\.\d+)", (ROOT / "setup.cfg").read_text())
    assert jobs["unit"]["strategy"]["matrix"]["python"] == pythons


def test_fragments_of_the_changelog_can_be_assembled() -> None:
    command = [sys.executable, "-m", "towncrier", "build", "--draft", "--version", "99.0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "99.0" in done.stdout
