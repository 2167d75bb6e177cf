"""The lines that docs/seeing.rst shows of a picture are those that dvr graph prints."""

from __future__ import annotations

from click.testing import CliRunner

from dvr_ryu.cli import cli
from dvr_ryu.shipped import examples_dir
from tests.unit.trace.test_stories import assert_in_order, shown_in_chapter

EXAMPLE = "examples/human-defined-dvr.yaml"


def test_the_chapter_shows_lines_of_a_real_picture() -> None:
    command = f"dvr graph {EXAMPLE} --trace cirros vm-68 --host server-68"
    shown = shown_in_chapter(command)
    arguments = command.replace(EXAMPLE, str(examples_dir() / "human-defined-dvr.yaml")).split()
    done = CliRunner().invoke(cli, arguments[1:], catch_exceptions=False)
    assert done.exit_code == 0
    assert_in_order([line.strip() for line in shown], done.output.replace("\n   ", "\n"), 5)
