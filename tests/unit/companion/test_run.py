"""The state of the resident companion between its rounds."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dvr_ryu.cli import cli
from dvr_ryu.cli.output import end_with
from dvr_ryu.companion import run
from dvr_ryu.companion.upkeep import memory
from dvr_ryu.companion.upkeep.leaving import Leaving
from dvr_ryu.source.file import FileSource
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.placement import Retained
from tests.unit.topology.files import topology_file


def test_it_waits_with_what_leaves_until_open_vswitch_is_back() -> None:
    """Without Open vSwitch the companion can release nothing, in any visible state of the port."""
    companion = run.Companion(FileSource(Path("topology.yaml")), "h1")
    before = parse_topology(topology_file(), "t.yaml")
    companion._desired.leaving = Leaving(
        Retained({"a": ("no-such-port",)}, {}, before), time.monotonic() + 60
    )
    later = threading.Timer(0.3, companion._wake.set)
    later.start()
    assert companion._wait()
    later.join()


_SIGNALLED = """
import signal
from pathlib import Path
from dvr_ryu.companion.run import Companion
from dvr_ryu.companion.upkeep.signals import on_signals
from dvr_ryu.source.file import FileSource

companion = Companion(FileSource(Path("topology.yaml")), "h1")
on_signals(companion.end)
with companion._wake._cond:  # as the event itself has it for a moment, whatever is done with it
    signal.raise_signal(signal.SIGTERM)
assert companion._wake.wait(10) and companion._ending
"""


def test_a_signal_ends_it_whatever_it_does() -> None:
    subprocess.run([sys.executable, "-c", _SIGNALLED], check=True, timeout=30)


@pytest.mark.parametrize(
    ("text", "host", "code"),
    [
        ("hosts: {h1: {address: 10.0.0.1}}", "h2", 0),
        ("hosts: {h1: {address: 10.0.0", "h2", 0),
        ("hosts: {h1: {address: 10.0.0.1}}", "h3", 64),
        ("hosts: {h1: {address: 10.0.0", "h3", 1),
    ],
)
def test_it_starts_again_for_a_host_that_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, host: str, code: int
) -> None:
    """The brake may refuse exactly this file; if not, nothing else would empty the host."""
    last, file = tmp_path / "last.yaml", tmp_path / "t.yaml"
    last.write_text("hosts: {h1: {address: 10.0.0.1}, h2: {address: 10.0.0.2}}\n")
    file.write_text(text)
    monkeypatch.setattr(memory, "FILE", str(last))
    started: list[str] = []
    monkeypatch.setattr(run, "run", lambda _, host, *__: started.append(host))
    argv = ["companion", "run", str(file), "--host", host, "--metrics", "off"]
    assert end_with(lambda: cli(argv, standalone_mode=True)) == code
    assert started == ([] if code else [host])
