"""Changes of files are noticed by looking, however they come about."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dvr_ryu.source.paths import PathWatch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "one").write_text("1")
    (tmp_path / "two").write_text("2")
    return tmp_path


def _watch(folder: Path) -> PathWatch:
    return PathWatch(lambda: sorted(folder.iterdir()))


def _replace(folder: Path) -> None:
    """As an editor does; the new file has the old one's size and time."""
    stat = (folder / "one").stat()
    (folder / "one~").write_text("3")
    os.utime(folder / "one~", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    (folder / "one~").replace(folder / "one")


@pytest.mark.parametrize(
    "edit",
    [
        lambda folder: (folder / "one").write_text("longer"),
        lambda folder: os.utime(folder / "one", (2e9, 2e9)),
        lambda folder: (folder / "three").touch(),
        lambda folder: (folder / "two").unlink(),
        lambda folder: (folder / "two").rename(folder / "2"),
        _replace,
    ],
    ids=["written", "touched", "added", "removed", "renamed", "replaced"],
)
def test_a_change_is_noticed_once(folder: Path, edit: Callable[[Path], object]):
    watch = _watch(folder)
    assert watch.changed() is True, "the first call"
    assert watch.changed() is False
    edit(folder)
    assert watch.changed() is True
    assert watch.changed() is False


def test_a_file_may_be_missing_and_come_later(tmp_path: Path):
    watch = PathWatch(lambda: [tmp_path / "later"])
    assert (watch.changed(), watch.changed()) == (True, False)
    (tmp_path / "later").touch()
    assert (watch.changed(), watch.changed()) == (True, False)


def test_each_watch_has_a_memory_of_its_own(folder: Path):
    one, other = _watch(folder), _watch(folder)
    assert one.changed() and other.changed()
    (folder / "one").write_text("longer")
    assert one.changed() and other.changed()
    assert not one.changed() and not other.changed()
