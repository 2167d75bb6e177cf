"""The topology that a host follows while the source is edited."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.companion.upkeep import memory
from dvr_ryu.companion.upkeep.desired_topology import DesiredTopology
from dvr_ryu.errors import FileError, HostError
from dvr_ryu.source.file import FileSource
from tests.unit.topology.files import topology_file


def _desired(file: Path, host: str) -> DesiredTopology:
    return DesiredTopology(FileSource(file), host, lambda topology: None)


def test_one_that_starts_with_a_file_that_is_refused_goes_on_with_the_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise nothing would be repaired before a user confirms, or corrects, the file."""
    hosts = [f"h{number}: {{address: 10.0.0.{number}}}" for number in (1, 2, 3)]
    last, file = tmp_path / "last.yaml", tmp_path / "t.yaml"
    last.write_text(f"hosts: {{{', '.join(hosts)}}}\n")
    monkeypatch.setenv("DVR_CONTROLLER", "tcp:10.0.0.9:6653")
    monkeypatch.setattr(memory, "FILE", str(last))
    file.write_text(f"hosts: {{{hosts[0]}}}\n")
    desired = _desired(file, "h1")
    for _ in range(2):
        with pytest.raises(FileError, match=r"removed_hosts: \[h2, h3\]"):
            desired.read()
        assert desired.in_force is not None
        assert [*desired.in_force.hosts] == ["h1", "h2", "h3"]
        assert str(desired.in_force.controller) == "tcp:10.0.0.9:6653"
    file.write_text(f"hosts: {{{hosts[0]}}}\nremoved_hosts: [h2, h3]\n")
    desired.read()
    assert desired.in_force is not None
    assert [*desired.in_force.hosts] == ["h1"]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "FILE", str(tmp_path / "none.yaml"))
    file = tmp_path / "t.yaml"
    file.write_text(topology_file())
    return file


def test_each_version_is_declared_once(file: Path) -> None:
    desired = _desired(file, "one")
    assert desired.read() and not desired.read()
    assert desired.edited and desired.version == FileSource(file).read().version
    first = desired.declaration
    file.write_text("# Mine.\n" + file.read_text())
    assert desired.read() and desired.declaration is not first
    assert desired.in_force == first.topology if first else False


def test_a_bad_state_changes_nothing_and_is_told_each_time(file: Path) -> None:
    desired = _desired(file, "one")
    assert desired.read()
    before, version, good = desired.in_force, desired.version, file.read_text()
    file.write_text("hosts: {one: {address: 10.0.0")
    for _ in range(2):
        with pytest.raises(FileError, match=r"t\.yaml"):
            desired.read()
    assert desired.in_force is before and desired.version == version
    file.write_text(good)
    assert not desired.read()


def test_arrivals_are_told_once(file: Path) -> None:
    desired = _desired(file, "two")
    assert desired.read() and desired.take_arriving() == set()
    text = file.read_text()
    assert "a: {host: one" in text
    file.write_text(text.replace("a: {host: one", "a: {host: two"))
    assert desired.read()
    assert (desired.take_arriving(), desired.take_arriving()) == ({"a"}, set())


def test_an_instance_whose_ports_are_not_here_is_not_retained(file: Path) -> None:
    desired = _desired(file, "one")
    desired.read()
    file.write_text(file.read_text().replace("a: {host: one", "a: {host: two"))
    assert desired.read() and desired.leaving is None
    assert desired.declaration and desired.in_force is desired.declaration.topology


def test_a_larger_mtu_waits_until_the_host_has_it(file: Path) -> None:
    lacks: list[str] = ["eth1 has 1550"]
    desired = DesiredTopology(FileSource(file), "one", lambda topology: "".join(lacks) or None)
    assert desired.read() and desired.in_force, "the first one is taken"
    before = desired.in_force
    file.write_text(topology_file(underlay="{mtu: 9000}"))
    for _ in range(2):
        with pytest.raises(HostError, match="eth1 has 1550; until then the file is not applied"):
            desired.read()
    assert desired.in_force is before
    lacks.clear()
    assert desired.read() and desired.in_force.underlay.mtu == 9000
