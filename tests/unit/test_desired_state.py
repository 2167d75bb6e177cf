"""What is wanted follows the saved files; a bad save changes nothing and is said once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dvr_ryu.desired_state import DesiredState
from dvr_ryu.errors import DvrError, FileError
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.source.file import FileSource
from dvr_ryu.source.inputs import InputReader
from dvr_ryu.switch import instance_ports
from dvr_ryu.switch.guard.identity import BridgeName
from dvr_ryu.topology.changes import compare
from dvr_ryu.topology.topology import Topology

BRIDGE = BridgeName("server-233", "br-tun")
PORTS = {"patch-int": 1, "vxlan-0a002c40": 2, "vxlan-0a002c44": 3}


class Files:
    """A topology and flows to be edited; every save looks like one, however soon it comes."""

    def __init__(self, folder: Path) -> None:
        self.topology = folder / "topology.yaml"
        self.flows = folder / "flows"
        self.tunnel = self.flows / "br-tun.flows"
        self._saves = 0
        shutil.copy(examples_dir() / "human-defined-dvr.yaml", self.topology)
        self.flows.mkdir()
        for file in flows_dir().glob("*.flows"):
            shutil.copy(file, self.flows)

    def save(self, file: Path, text: str) -> None:
        file.write_text(text)
        self._saves += 1
        when = 2_000_000_000 + self._saves
        os.utime(file, (when, when))

    def edit(self, file: Path, old: str, new: str) -> None:
        text = file.read_text()
        assert old in text
        self.save(file, text.replace(old, new))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def of_files(topology: Path, flows: Path) -> DesiredState:
    return DesiredState(InputReader(FileSource(topology), flows))


@pytest.fixture
def desired(files: Files) -> DesiredState:
    return of_files(files.topology, files.flows)


def _wanted(desired: DesiredState) -> dict[bytes, bytes]:
    wanted = desired.basis(BRIDGE, PORTS).desired()
    assert wanted
    return wanted


def _settle(desired: DesiredState) -> bool:
    """Whether a save is applied, which is so in the second look at it."""
    assert desired.reload() is False
    return desired.reload()


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
    assert _settle(desired) is True
    assert desired.topology.instances["vm-68"].ip == "10.10.10.5"
    assert _wanted(desired) != before


def test_identical_content_saved_again_is_no_change(files: Files, desired: DesiredState):
    before = _wanted(desired)
    files.save(files.topology, files.topology.read_text())
    files.save(files.tunnel, files.tunnel.read_text())
    assert _settle(desired) is False
    assert _wanted(desired) == before


def test_comments_change_nothing_that_is_wanted(files: Files, desired: DesiredState):
    before = _wanted(desired)
    files.save(files.tunnel, "# Mine.\n" + files.tunnel.read_text())
    files.save(files.topology, "# Mine.\n" + files.topology.read_text())
    assert _settle(desired) is False
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
    assert _settle(desired) is True


@pytest.mark.parametrize(
    ("which", "old", "new", "said"),
    [
        ("tunnel", "mod_dl_src:", "mod_dl_scr:", "br-tun.flows:23"),
        ("topology", "network: blue, ip: 192", "network: bleu, ip: 192", "topology.yaml:"),
    ],
)
def test_a_bad_save_keeps_the_last_good_and_is_said_once_and_a_good_one_after_it_is_applied(
    files: Files, desired: DesiredState, which: str, old: str, new: str, said: str
):
    file, before = getattr(files, which), _wanted(desired)
    pipelines, topology = desired.pipelines, desired.topology
    files.edit(file, old, new)
    assert desired.reload() is False
    with pytest.raises(FileError, match=said):
        desired.reload()
    assert [desired.reload() for _ in range(3)] == [False] * 3
    assert (desired.pipelines, desired.topology) == (pipelines, topology)
    assert _wanted(desired) == before
    files.edit(file, new, old)
    files.edit(files.tunnel, "hard_timeout=300", "hard_timeout=200")
    assert _settle(desired) is True
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
    assert _settle(desired) is True
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
    assert _settle(desired) is True
    assert desired.identify("server-64/br-tun", 1) is None
    files.save(files.tunnel, pipeline)
    assert _settle(desired) is True
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
    assert _settle(desired) is False


def test_a_file_that_an_editor_replaces_is_a_save(
    files: Files, desired: DesiredState, tmp_path: Path
):
    other = tmp_path / "new"
    other.write_text(files.tunnel.read_text().replace("hard_timeout=300", "hard_timeout=301"))
    stat = files.tunnel.stat()
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(files.tunnel)
    assert _settle(desired) is True


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


def test_flows_lead_to_where_an_instance_was_until_it_has_arrived(
    files: Files, desired: DesiredState
):
    """First on the host that it has come to, then everywhere."""
    device = desired.topology.instances["vm-68"].device
    old, new = BridgeName("server-68", "br-int"), BridgeName("server-64", "br-int")
    for bridge in (old, new):
        desired.see_ports(bridge, {"patch-tun"} | ({device} if bridge == old else set()))

    def of(name: BridgeName) -> Topology:
        return desired.basis(name, PORTS).view.topology

    before = desired.topology
    files.edit(files.topology, "vm-68: {host: server-68,", "vm-68: {host: server-64,")
    assert _settle(desired)
    assert desired.moving == {"vm-68": "server-68"}
    assert of(BRIDGE) == of(new) == before != desired.topology
    assert not desired.follow_moves(_call)
    desired.see_ports(new, {"patch-tun", device})
    assert desired.follow_moves(_call)
    assert (of(BRIDGE), of(old), of(new)) == (before, before, desired.topology)
    # All that takes long is done by now.
    assert desired.follow_moves(_refuse)
    assert of(BRIDGE) == of(old) == of(new) == desired.topology
    assert desired.moving == {} and not desired.follow_moves(_call)
    change = desired.change_between(before, of(BRIDGE))
    assert {port.name for port in change.ports_come} == {"vm-68"}


class Move:
    """vm-68 on its way: the file says server-64 already, and it is still on server-68."""

    old, new = BridgeName("server-68", "br-int"), BridgeName("server-64", "br-int")

    def __init__(self, files: Files, desired: DesiredState) -> None:
        self._desired, self._device = desired, desired.topology.instances["vm-68"].device
        desired.see_ports(self.old, {"patch-tun", self._device})
        desired.see_ports(self.new, {"patch-tun"})
        files.edit(files.topology, "vm-68: {host: server-68,", "vm-68: {host: server-64,")
        assert _settle(desired) and desired.moving == {"vm-68": "server-68"}

    def arrives(self) -> None:
        self._desired.see_ports(self.new, {"patch-tun", self._device})

    def ends(self) -> None:
        """All flows lead to the new host."""
        while self._desired.follow_moves(_call):
            pass
        assert self._desired.moving == {}
        for name in (BRIDGE, self.old, self.new):
            assert self._desired.basis(name, PORTS).view.topology == self._desired.topology


def _comment(files: Files) -> None:
    files.save(files.topology, "# Mine.\n" + files.topology.read_text())


def test_an_arrival_while_a_comment_is_read_is_told(files: Files, desired: DesiredState):
    move = Move(files, desired)
    _comment(files)
    before = desired.basis(BRIDGE, PORTS).view.topology

    def apart(work: Callable[[], Any]) -> Any:
        move.arrives()
        return work()

    assert desired.reload() is False
    told = desired.reload(apart) or desired.follow_moves(_call)
    assert told or desired.basis(BRIDGE, PORTS).view.topology == before
    move.ends()


def test_a_comment_that_is_read_between_the_steps_of_an_arrival_is_told(
    files: Files, desired: DesiredState
):
    move = Move(files, desired)
    _comment(files)
    assert desired.reload() is False
    move.arrives()
    assert desired.follow_moves(_call)
    assert desired.reload() or desired.follow_moves(_call)
    move.ends()


def test_an_arrival_that_is_undone_between_its_steps_is_told(files: Files, desired: DesiredState):
    """The host that was ahead has what nobody wants any more."""
    move = Move(files, desired)
    _comment(files)
    assert desired.reload() is False
    move.arrives()
    assert desired.follow_moves(_call)
    desired.see_ports(move.new, {"patch-tun"})
    assert desired.reload()
    assert desired.moving == {"vm-68": "server-68"}


@pytest.mark.parametrize("looked", [False, True], ids=["seen first", "looked first"])
@pytest.mark.parametrize("steps", [1, 2])
def test_an_arrival_that_is_followed_while_an_edit_is_read(
    files: Files, desired: DesiredState, steps: int, looked: bool
):
    """Each bridge gets what is wanted, whichever topology it has had so far."""
    move = Move(files, desired)
    had = [desired.basis(name, PORTS) for name in (BRIDGE, move.new)]
    files.edit(
        files.topology, "instances:\n", "instances:\n  other: {host: server-68, network: yellow}\n"
    )
    assert desired.reload() is False

    def apart(work: Callable[[], Any]) -> Any:
        read = work() if looked else None
        move.arrives()
        for _ in range(steps):
            assert desired.follow_moves(_call)
            had.extend(desired.basis(name, PORTS) for name in (BRIDGE, move.new))
        return read or work()

    assert desired.reload(apart)
    after = desired.basis(BRIDGE, PORTS).view.topology
    for basis in had:
        before = basis.view.topology
        assert desired.change_between(before, after) == compare(before, after)
    move.ends()


def test_nothing_is_shut_by_a_file_that_is_not_in_force_yet(
    files: Files, desired: DesiredState, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(instance_ports, "LINGER", 0)
    device = desired.topology.instances["vm-68"].device
    desired.see_ports(Move.old, {"patch-tun", device})
    files.edit(files.topology, "vm-68: {host: server-68,", "vm-68: {host: server-64,")
    assert desired.reload() is False

    def apart(work: Callable[[], Any]) -> Any:
        read = work()
        assert list(desired.ports_to_shut()) == []
        return read

    assert desired.reload(apart)
    assert desired.moving == {"vm-68": "server-68"}


def test_a_host_that_is_left_and_goes_stays_until_it_is_left(files: Files, desired: DesiredState):
    device = desired.topology.instances["vm-68"].device
    old, new = BridgeName("server-68", "br-int"), BridgeName("server-64", "br-int")
    desired.see_ports(old, {"patch-tun", device})
    lines = files.topology.read_text().splitlines(keepends=True)
    start, end = lines.index("  server-68:\n"), lines.index("  server-64:\n")
    text = "".join(lines[:start] + lines[end:]).replace("host: server-68", "host: server-64")
    files.save(files.topology, text.replace("server-68: 3", "").replace("server-68: 2, ", ""))
    assert _settle(desired) and "server-68" not in desired.topology.hosts

    def hosts() -> set[str]:
        known = set(desired.basis(BRIDGE, PORTS).view.topology.hosts)
        assert (desired.identify("server-68/br-int", 1) == old) == ("server-68" in known)
        return known

    assert hosts() == {"server-233", "server-64", "server-68"} and desired.moving
    desired.see_ports(new, {"patch-tun", device})
    while desired.follow_moves(_call):
        pass
    assert desired.moving == {} and "server-68" in hosts()
    desired.see_ports(old, {"patch-tun"})
    while desired.follow_moves(_call):
        pass
    assert hosts() == {"server-233", "server-64"}


def _call(work: Callable[[], Any]) -> Any:
    return work()


def _refuse(work: Callable[[], Any]) -> Any:
    raise AssertionError(f"{work} is done twice")
