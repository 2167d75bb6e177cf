"""What is wanted follows the saved files; a bad save changes nothing and is said once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dvr_ryu.desired_state import DesiredState
from dvr_ryu.errors import DvrError, FileError
from dvr_ryu.switch.guard.identity import BridgeName
from tests.unit.saved_files import BRIDGE, PORTS, Files, of_files, settle


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def desired(files: Files) -> DesiredState:
    return of_files(files.topology, files.flows)


def _wanted(desired: DesiredState) -> dict[bytes, bytes]:
    wanted = desired.basis(BRIDGE, PORTS).desired()
    assert wanted
    return wanted


def test_nothing_saved_is_no_change(desired: DesiredState):
    before = _wanted(desired)
    assert [desired.reload() for _ in range(3)] == [False] * 3
    assert _wanted(desired) == before


def test_a_save_is_applied_once_it_is_steady(files: Files, desired: DesiredState):
    before = _wanted(desired)
    files.edit(files.tunnel, "hard_timeout=300", "hard_timeout=301")
    assert desired.reload() is False
    assert _wanted(desired) == before
    files.edit(files.tunnel, "hard_timeout=301", "hard_timeout=302")
    assert desired.reload() is False
    assert _wanted(desired) == before
    assert desired.reload() is True
    after = _wanted(desired)
    assert after.keys() == before.keys()
    assert sum(after[identity] != before[identity] for identity in after) == 1
    assert desired.reload() is False


def test_a_saved_topology_is_applied(files: Files, desired: DesiredState):
    before = _wanted(desired)
    files.edit(files.topology, "ip: 10.10.10.4}", "ip: 10.10.10.5}")
    assert settle(desired) is True
    assert desired.topology.instances["vm-68"].ip == "10.10.10.5"
    assert _wanted(desired) != before


def test_identical_content_saved_again_is_no_change(files: Files, desired: DesiredState):
    before = _wanted(desired)
    files.save(files.topology, files.topology.read_text())
    files.save(files.tunnel, files.tunnel.read_text())
    assert settle(desired) is False
    assert _wanted(desired) == before


def test_comments_change_nothing_that_is_wanted(files: Files, desired: DesiredState):
    before = _wanted(desired)
    files.save(files.tunnel, "# Mine.\n" + files.tunnel.read_text())
    files.save(files.topology, "# Mine.\n" + files.topology.read_text())
    assert settle(desired) is False
    assert _wanted(desired) == before


def test_a_file_that_cannot_be_read_is_tried_again(files: Files, desired: DesiredState):
    aside = files.topology.with_suffix(".aside")
    files.topology.rename(aside)
    files.topology.mkdir()
    assert desired.reload() is False
    for _ in range(2):
        with pytest.raises(DvrError, match="cannot be read: Is a directory"):
            desired.reload()
    files.topology.rmdir()
    aside.rename(files.topology)
    files.edit(files.topology, "ip: 10.10.10.4}", "ip: 10.10.10.5}")
    assert settle(desired) is True


@pytest.mark.parametrize(
    ("which", "old", "new", "message"),
    [
        ("tunnel", "mod_dl_src:", "mod_dl_scr:", "br-tun.flows:23"),
        ("topology", "network: blue, ip: 192", "network: bleu, ip: 192", "topology.yaml:"),
    ],
)
def test_a_bad_save_keeps_the_last_good_and_is_said_once_and_a_good_one_after_it_is_applied(
    files: Files, desired: DesiredState, which: str, old: str, new: str, message: str
):
    file, before = getattr(files, which), _wanted(desired)
    pipelines, topology = desired.pipelines, desired.topology
    files.edit(file, old, new)
    assert desired.reload() is False
    with pytest.raises(FileError, match=message):
        desired.reload()
    assert [desired.reload() for _ in range(3)] == [False] * 3
    assert (desired.pipelines, desired.topology) == (pipelines, topology)
    assert _wanted(desired) == before
    files.edit(file, new, old)
    files.edit(files.tunnel, "hard_timeout=300", "hard_timeout=200")
    assert settle(desired) is True
    assert _wanted(desired) != before


def test_a_bad_topology_keeps_flows_that_were_saved_with_it_from_being_applied(
    files: Files, desired: DesiredState
):
    before = _wanted(desired)
    files.edit(files.tunnel, "hard_timeout=300", "hard_timeout=301")
    files.edit(files.topology, "hosts:", "hots:")
    assert desired.reload() is False
    with pytest.raises(FileError):
        desired.reload()
    assert _wanted(desired) == before


def test_a_save_that_drops_most_hosts_waits_to_be_confirmed(files: Files, desired: DesiredState):
    before = _wanted(desired)
    alone = "hosts: {server-233: {address: 10.0.44.233}}\n"
    files.save(files.topology, alone)
    assert desired.reload() is False
    with pytest.raises(FileError, match="2 of the 3 hosts in force are not here"):
        desired.reload()
    assert _wanted(desired) == before and len(desired.topology.hosts) == 3
    files.save(files.topology, alone + "removed_hosts: [server-68, server-64]\n")
    assert settle(desired) is True
    assert {*desired.topology.hosts} == {"server-233"}


def test_each_bad_save_is_said(files: Files, desired: DesiredState):
    for word in ("output1", "output2"):
        files.save(files.tunnel, f"table 0 A\n  miss: {word}\n")
        assert desired.reload() is False
        with pytest.raises(FileError, match=word):
            desired.reload()


def test_files_that_come_and_go(files: Files, desired: DesiredState):
    pipeline = files.tunnel.read_text()
    files.tunnel.unlink()
    assert settle(desired) is True
    assert desired.identify("server-64/br-tun", 1) is None
    files.save(files.tunnel, pipeline)
    assert settle(desired) is True
    assert desired.identify("server-64/br-tun", 1) == BridgeName("server-64", "br-tun")
    files.save(files.flows / "br-ex.flows", "table 0 A\n  miss: NORMAL\n")
    assert desired.reload() is False
    with pytest.raises(FileError, match="br-ex"):
        desired.reload()
    (files.flows / "br-ex.flows").unlink()
    before = _wanted(desired)
    text = files.topology.read_text()
    files.topology.unlink()
    assert desired.reload() is False
    with pytest.raises(DvrError, match="cannot be read"):
        desired.reload()
    assert _wanted(desired) == before
    files.save(files.topology, text)
    assert settle(desired) is False


def test_a_file_that_an_editor_replaces_is_a_save(
    files: Files, desired: DesiredState, tmp_path: Path
):
    other = tmp_path / "new"
    other.write_text(files.tunnel.read_text().replace("hard_timeout=300", "hard_timeout=301"))
    stat = files.tunnel.stat()
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(files.tunnel)
    assert settle(desired) is True


def test_bridges_are_known_by_their_description(desired: DesiredState):
    assert desired.identify("server-233/br-tun", 1) == BRIDGE
    assert str(BRIDGE) == "server-233/br-tun"
    for description in ("", "server-233", "server-1/br-tun", "server-233/br-ex", "None", "/"):
        assert desired.identify(description, 1) is None


def test_bad_files_at_first_are_errors(files: Files):
    with pytest.raises(DvrError, match="no flow files here"):
        of_files(files.topology, files.topology.parent)
    files.save(files.tunnel, "table 0 A\n  miss: outptu\n")
    with pytest.raises(FileError, match="outptu"):
        of_files(files.topology, files.flows)
