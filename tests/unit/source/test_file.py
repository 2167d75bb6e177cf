"""A topology file as a source: its snapshots, and the two ways in which it tells of a save."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from dvr_ryu.errors import FileError
from dvr_ryu.source import Source
from dvr_ryu.source.file import FileSource
from dvr_ryu.topology.spec.text_file import Unreadable

HOSTS = "hosts: {a: {address: 10.0.0.1}, b: {address: 10.0.0.2}, c: {address: 10.0.0.3}}\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "topology.yaml"
    path.write_text(HOSTS)
    return path


def test_a_snapshot_stays_what_the_file_was(file: Path):
    source: Source = FileSource(file)
    snapshot = source.read()
    file.write_text("no topology any more")
    assert snapshot.version == sha256(HOSTS.encode()).hexdigest()
    assert [*snapshot.declaration().hosts] == ["a", "b", "c"]
    assert source.read().version != snapshot.version


def test_a_file_that_is_saved_unchanged_is_the_same_version(file: Path):
    source = FileSource(file)
    before = source.read().version
    file.write_text("# Mine.\n" + HOSTS)
    assert source.read().version != before
    file.write_text(HOSTS)
    assert source.read().version == before


def test_mistakes_are_told_under_the_files_name(file: Path):
    file.write_text("hosts: {a: {address: 10.0.0.1}, b: {addres: 10.0.0.2}}\n")
    with pytest.raises(FileError, match=rf"^{file}:1:37: "):
        FileSource(file).read().declaration()


def test_the_brake_knows_what_is_in_force(file: Path):
    source = FileSource(file)
    before = source.read().declaration()
    file.write_text("hosts: {a: {address: 10.0.0.1}}\n")
    with pytest.raises(FileError, match="2 of the 3 hosts in force"):
        source.read().declaration(before)


def test_what_cannot_be_read_may_be_another_time(tmp_path: Path):
    source = FileSource(tmp_path / "topology.yaml")
    with pytest.raises(Unreadable, match="No such file"):
        source.read()
    (tmp_path / "topology.yaml").write_text(HOSTS)
    assert source.changed() and not source.changed()
    assert source.read().declaration().hosts


def _written(file: Path) -> None:
    file.write_text("# Mine.\n" + HOSTS)


def _renamed(file: Path) -> None:
    other = file.with_suffix(".new")
    other.write_text("# Mine.\n" + HOSTS)
    other.replace(file)


@pytest.mark.parametrize("save", [_written, _renamed, Path.unlink], ids=lambda save: save.__name__)
def test_a_save_is_told_at_once(file: Path, save: Callable[[Path], object]):
    saved = threading.Event()
    source = FileSource(file)
    assert source.watch(saved.set) == ""
    try:
        save(file)
        assert saved.wait(10)
    finally:
        source.end()


def test_a_relative_path_is_watched_too(file: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(file.parent)
    saved = threading.Event()
    source = FileSource(Path(file.name))
    assert source.watch(saved.set) == ""
    try:
        _written(file)
        assert saved.wait(10)
    finally:
        source.end()


def test_a_folder_that_is_not_there_cannot_be_watched(tmp_path: Path):
    source = FileSource(tmp_path / "nowhere" / "topology.yaml")
    try:
        assert source.watch(print) == "No such file or directory"
    finally:
        source.end()


_UNDER_EVENTLET = """
import eventlet
eventlet.monkey_patch()
import sys
from pathlib import Path
from dvr_ryu.source.file import FileSource

source = FileSource(Path(sys.argv[1]))
assert source.changed() and not source.changed()
source.path.write_text("# Mine.\\n" + source.path.read_text())
assert source.changed() and not source.changed()
assert source.read().declaration().hosts
assert "watchdog" not in sys.modules
"""


def test_changes_are_seen_under_an_event_loop(file: Path):
    subprocess.run([sys.executable, "-c", _UNDER_EVENTLET, str(file)], check=True, timeout=60)
