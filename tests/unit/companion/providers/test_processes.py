"""The end of programs: with any number of our descriptors, and even if they ignore SIGTERM."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.processes import processes
from dvr_ryu.companion.resources.process import Process, pid_file

ENDS = "import time; print(flush=True); time.sleep(60)"
STAYS = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {ENDS}"
NAME = f"test-{os.getpid()}"


@pytest.fixture
def crowded() -> Iterator[None]:
    """Open more files than select supports."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4096, hard), hard))
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(1024)]
    yield
    for descriptor in opened:
        os.close(descriptor)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("crowded")
def test_programs_end_whatever_descriptors_there_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(notes, "UNFINISHED", tmp_path / "unfinished")
    monkeypatch.setattr(processes, "ENDING", tmp_path / "ending")
    monkeypatch.setattr(processes, "GRACE", 0.2)
    monkeypatch.setattr(processes, "ENDED_AT_ONCE", 2)
    resources, children = [], []
    for number, program in enumerate((ENDS, STAYS, ENDS)):
        resource = Process(f"{NAME}-{number}", "", (), ("device", "", "lo"))
        argv = [sys.executable, "-c", program, "-p", pid_file(resource.name)]
        child = subprocess.Popen(argv, stdout=subprocess.PIPE)
        assert child.stdout is not None and child.stdout.readline()
        monkeypatch.setitem(processes._seen, resource.name, [child.pid])
        resources.append(resource)
        children.append(child)
    before = os.listdir("/proc/self/fd")
    try:
        processes.Processes().remove(resources)
        assert [child.wait(10) for child in children] == [-15, -9, -15]
        assert len(os.listdir("/proc/self/fd")) == len(before)
    finally:
        for child in children:
            child.kill()
            child.communicate()
