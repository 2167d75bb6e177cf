"""How a lab finds its processes and its state on a machine with other processes and damaged
files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvr_ryu.companion.check import programs
from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.process import Process, with_variable
from dvr_ryu.lab.state import StateFolder


@pytest.fixture
def cut_name() -> Iterator[None]:
    """This process has a name that is not valid UTF-8, like a name that is cut within a
    character.
    """
    comm = Path("/proc/self/comm")
    before = comm.read_bytes()
    comm.write_bytes(b"caf\xc3")
    yield
    comm.write_bytes(before)


def test_the_names_of_processes_need_not_be_text(cut_name: None) -> None:
    assert Process.of(os.getpid()).alive
    assert [*with_variable("DVR_NOBODY_HAS", "this")] == []
    assert all(finding.advice for finding in programs.in_the_way())


HOSTS = "hosts: {a: {address: 10.0.0.1}, b: {address: 10.0.0.2}}\n"


def test_a_lab_with_a_saved_topology_refuses_to_lose_half_of_its_hosts(tmp_path: Path) -> None:
    folder = StateFolder(tmp_path)
    folder.remember(HOSTS)
    before = lifecycle._in_force(folder, Path("t.yaml"))
    assert before is not None
    assert [*before.hosts] == ["a", "b"]


@pytest.mark.parametrize("text", [None, "", "hosts: {a", "hosts: {}"])
def test_a_lab_with_a_damaged_saved_topology_takes_any_file(
    tmp_path: Path, text: str | None
) -> None:
    folder = StateFolder(tmp_path)
    if text is not None:
        folder.remember(text)
    assert lifecycle._in_force(folder, Path("t.yaml")) is None
