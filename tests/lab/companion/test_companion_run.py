"""`dvr companion run` on one lab host: it follows edits, and restores what others damage."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvr_ryu.lab.hosts.bare import bare_lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.loading import parse_topology
from tests.lab.support.companions import Companion, await_state, run
from tests.lab.support.one_host import TOPOLOGY, fresh_companion

_RUN = """
import sys
from pathlib import Path
from dvr_ryu.companion.upkeep import leaving
from dvr_ryu.companion.run import run
from dvr_ryu.source.file import FileSource
leaving.PATIENCE = 2.0
run(FileSource(Path(sys.argv[1])), sys.argv[2])
"""


@pytest.fixture(scope="module")
def host() -> Iterator[LabHost]:
    with bare_lab(parse_topology(TOPOLOGY, "test.yaml")) as lab:
        yield lab["h1"]


@pytest.fixture
def companion(host: LabHost, tmp_path: Path) -> Iterator[Companion]:
    with fresh_companion(host, tmp_path) as companion:
        yield companion


@pytest.fixture
def running(companion: Companion, tmp_path: Path) -> Iterator[Companion]:
    """A companion that keeps running."""
    host = companion.host
    command = [sys.executable, "-c", _RUN, str(companion.file), "h1"]
    host.start_service("companion", command, tmp_path / "log", {})
    await_state(host, lambda state: state["state"] == "applied")
    yield companion
    pid = host.service_pid("companion")
    run(host, f"kill {pid}")
    wait_until(lambda: host.service_pid("companion") is None, 10, "the end of the companion")
    await_state(host, lambda state: state["state"] == "ended")


def test_it_applies_an_edit(running):
    """Without a controller that confirms its arrival, a moving instance stays here for a while."""
    before = await_state(running.host, lambda state: True)
    running.edit("  c: {host: h1,", "  c: {host: h2,")
    await_state(running.host, lambda state: state["state"] == "moving")
    assert "vm-c" in run(running.host, "ip netns")
    await_state(
        running.host,
        lambda state: state["state"] == "applied" and state["topology"] != before["topology"],
    )
    assert "vm-c" not in run(running.host, "ip netns")
    assert running("plan") == []


def test_it_applies_an_edit_of_a_resource_that_was_just_removed(running, tmp_path):
    """It applies an edit to what it remembers of the host; if that is outdated, it reads the
    host.
    """
    host = running.host
    for name in ("vm-c", "vm-d"):
        run(host, f"ip netns del {name}")
    before = await_state(host, lambda state: True)
    running.edit("10.2.0.14", "10.2.0.24")
    await_state(
        host,
        lambda state: state["state"] == "applied" and state["topology"] != before["topology"],
    )
    wait_until(lambda: running("plan") == [], 20, "all of it again")
    assert "10.2.0.24/24" in run(host, "ip -br -4 addr", "vm-d")
    assert "something else" not in (tmp_path / "log").read_text()


def test_it_reports_a_broken_edit_with_its_location_and_changes_nothing(running):
    running.edit("ip: 10.1.0.13}", "ip: 10.1.0.300}")
    state = await_state(running.host, lambda state: state["state"] == "failed")
    assert f"{running.file}:18:" in state["error"]
    assert "vm-c" in run(running.host, "ip netns")
    run(running.host, "ip netns del vm-d")
    wait_until(lambda: "vm-d" in run(running.host, "ip netns"), 20, "vm-d again")
    running.edit("10.1.0.300", "10.1.0.13")
    await_state(running.host, lambda state: state["state"] == "applied")


def test_a_host_that_is_taken_out_of_the_file_is_emptied_until_it_returns(running, tmp_path):
    text = running.file.read_text()
    before = await_state(running.host, lambda state: True)
    devices = run(running.host, "ip netns")
    running.file.write_text("hosts: {h2: {address: 10.0.0.2}}")
    refused = await_state(running.host, lambda state: state["state"] == "failed")
    assert "confirm that they shall go: removed_hosts: [h1]" in refused["error"]
    assert run(running.host, "ip netns") == devices
    running.file.write_text("hosts: {h2: {address: 10.0.0.2}}\nremoved_hosts: [h1]\n")
    emptied = await_state(
        running.host,
        lambda state: state["state"] == "applied" and state["topology"] != before["topology"],
    )
    assert run(running.host, "ip netns") == ""
    assert run(running.host, "ovs-vsctl list-br") in ("", "br-phys\n")
    assert "has no host h1 any more" in (tmp_path / "log").read_text()
    running.file.write_text(text)
    await_state(running.host, lambda state: state["topology"] != emptied["topology"])
    assert running("plan") == []


def test_it_restarts_killed_programs(running):
    host = running.host

    def pids() -> set[str]:
        files = host.path("/run/dvr_ryu/processes").glob("*.pid")
        return {path.read_text().strip() for path in files}

    killed = pids()
    for pid in killed:
        run(host, f"kill -9 {pid}")
    wait_until(lambda: running("plan") == [], 20, "all programs again")
    assert not pids() & killed and len(pids()) == len(killed)


def test_two_do_not_work_on_one_host(running):
    refused = running.attempt("apply", check=False)
    assert refused.returncode == 1
    assert "another companion (process" in refused.stderr
