"""The smallest valid file makes a lab."""

from __future__ import annotations

from pathlib import Path

from dvr_ryu.lab import entering, lifecycle
from dvr_ryu.lab.proof import proof
from dvr_ryu.lab.state import StateFolder
from tests.lab.edits.test_changes import lab


def test_a_file_of_one_host_is_a_lab_with_a_controller(tmp_path: Path) -> None:
    file = tmp_path / "topology.yaml"
    file.write_text("hosts: {h1: {address: 10.0.0.1}}\n")
    with lab(file, tmp_path / "lab") as folder:
        host, _ = entering.find("h1", folder)
        controllers = host.run(["ovs-vsctl", "get-controller", "br-int"]).stdout
        assert controllers.split() == ["tcp:10.0.0.254:6653"]
        assert "h1/br-int in sync" in folder.log("controller").read_text()
        assert proof.exit_code(proof.prove(lambda _: None, folder)) == 0
        _edited(file, folder)


def _edited(file: Path, folder: StateFolder) -> None:
    """More hosts and instances do not need another lab: the controller keeps its address."""
    file.write_text(
        "hosts: {h1: {address: 10.0.0.1}, h2: {address: 10.0.0.2}}\n"
        "networks: {n: {subnets: [{cidr: 10.1.0.0/24}]}}\n"
        "instances: {a: {host: h1, network: n}, b: {host: h2, network: n}}\n"
    )
    lifecycle.up(file, lambda _: None, folder)
    results = proof.prove(lambda _: None, folder)
    assert results and proof.exit_code(results) == 0
