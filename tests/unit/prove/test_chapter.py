"""The lines that docs/seeing.rst shows of a proof are those that dvr prove prints."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from dvr_ryu.cli import cli
from dvr_ryu.shipped import examples_dir, flows_dir
from tests.unit.trace.test_stories import assert_in_order, shown_in_chapter

COMMAND = "dvr prove examples/human-defined-dvr.yaml --flows mine"


def test_the_chapter_shows_lines_of_a_real_proof(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(examples_dir(), tmp_path / "examples")
    shutil.copytree(flows_dir(), tmp_path / "mine")
    file = tmp_path / "mine" / "br-tun.flows"
    line = "actions=goto_table:VXLAN_TUN_TO_LV"
    file.write_text(file.read_text().replace(line, "actions=drop"))
    done = CliRunner().invoke(cli, COMMAND.split()[1:], catch_exceptions=False)
    assert done.exit_code == 2
    assert_in_order(shown_in_chapter(COMMAND), done.output, 7)
