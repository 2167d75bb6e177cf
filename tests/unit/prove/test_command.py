"""`dvr prove` as a command: what it prints of faults, and its exit code."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from dvr_ryu.cli import cli
from dvr_ryu.errors import DIFFERENT
from dvr_ryu.shipped import examples_dir

LINES = """
expect:
  - {from: cirros, to: vm-233, reach: false}
  - {from: cirros, to: vm-64}
  - {from: vm-68, to: lonely-68}
  - {from: cirros, to: outside, seen_as: 2.2.2.24}
  - {from: vm-68, to: outside, seen_as: 2.2.2.100}
"""


def test_each_wrong_line_of_expect_has_its_way(tmp_path: Path) -> None:
    file = tmp_path / "lab.yaml"
    file.write_text((examples_dir() / "human-defined-dvr.yaml").read_text() + LINES)
    done = CliRunner().invoke(cli, ["prove", str(file)])
    assert done.exit_code == DIFFERENT
    packets = ("cirros → vm-233", "vm-68 → lonely-68", "cirros → outside", "vm-68 → outside")
    assert [packet for packet in packets if f"{packet}: " not in done.stdout] == []
    assert done.stdout.count("sends a ping from") == len(packets)
    assert "cirros → vm-64" not in done.stdout
    assert done.stderr.count("\n    ^") + done.stderr.count("\n      ^") == len(packets)
