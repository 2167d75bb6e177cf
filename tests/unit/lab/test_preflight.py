"""The packages that `make deps` installs are those of all programs that we run."""

from __future__ import annotations

from pathlib import Path

from dvr_ryu.companion import script
from dvr_ryu.companion.edges import commands
from dvr_ryu.lab import preflight
from dvr_ryu.packages import PACKAGES
from dvr_ryu.pki import making

TOOL = Path(__file__).parents[3] / "tools" / "debian-packages"


def test_what_is_run_is_installed() -> None:
    _, table, _ = TOOL.read_text().split("'", 2)
    installed = dict(line.split() for line in table.split("\n") if line)
    assert installed == {program: PACKAGES[program] for program in installed}
    run = {*script.PROGRAMS, *commands.PROGRAMS, *preflight.PROGRAMS, *making.PROGRAMS}
    assert PACKAGES.keys() == run
    assert set(installed.values()) == {PACKAGES[program] for program in run}
