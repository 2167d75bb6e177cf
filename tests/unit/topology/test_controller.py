"""The file's `controller`: TCP or TLS, in Open vSwitch's words; an edit of it moves no number."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import evolve

from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.topology import Topology
from tests.unit.topology.files import topology_file


def topology(folder: Path, controller: str) -> Topology:
    file = folder / "topology.yaml"
    file.write_text(topology_file(controller=controller))
    return load_topology(file)


@pytest.mark.parametrize(
    ("target", "tls"), [("tcp:10.0.0.9:6653", False), ("ssl:10.0.0.9:1", True)]
)
def test_a_controller_is_what_open_vswitch_is_told(tmp_path: Path, target: str, tls: bool) -> None:
    controller = topology(tmp_path, target).controller
    assert controller
    assert (str(controller), controller.tls) == (target, tls)


def test_tls_changes_nothing_else(tmp_path: Path) -> None:
    plain, tls = (topology(tmp_path, f"{word}:10.0.0.9:6653") for word in ("tcp", "ssl"))
    assert evolve(plain, controller=tls.controller) == tls
