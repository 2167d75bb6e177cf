"""What is wanted follows the saved files; a bad save changes nothing and is said once."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dvr_ryu.errors import DvrError, FileError
from dvr_ryu.intent import Intent
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.switch import places
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


@pytest.fixture
def intent(files: Files) -> Intent:
    return Intent(files.topology, files.flows)


def _wanted(intent: Intent) -> dict[bytes, bytes]:
    wanted = intent.basis(BRIDGE, PORTS).desired()
    assert wanted
    return wanted


def _settle(intent: Intent) -> bool:
    """Whether a save is applied, which is so in the second look at it."""
    assert intent.reload() is False
    return intent.reload()


def test_nothing_saved_is_no_change(intent: Intent):
    before = _wanted(intent)
    assert [intent.reload() for _ in range(3)] == [False] * 3
    assert _wanted(intent) == before


def test_a_save_is_applied_once_it_is_steady(files: Files, intent: Intent):
    before = _wanted(intent)
    files.edit(files.tunnel, "hard_timeout=300", "hard_timeout=301")
    assert intent.reload() is False
    assert _wanted(intent) == before
    files.edit(files.tunnel, "hard_timeout=301", "hard_timeout=302")
    assert intent.reload() is False
    assert _wanted(intent) == before
    assert intent.reload() is True
    after = _wanted(intent)
    assert after.keys() == before.keys()
    assert sum(after[identity] != before[identity] for identity in after) == 1
    assert intent.reload() is False


def test_a_saved_topology_is_applied(files: Files, intent: Intent):
    before = _wanted(intent)
    files.edit(files.topology, "ip: 10.10.10.4}", "ip: 10.10.10.5}")
    assert _settle(intent) is True
    assert intent.topology.instances["vm-68"].ip == "10.10.10.5"
    assert _wanted(intent) != before


def test_identical_content_saved_again_is_no_change(files: Files, intent: Intent):
    before = _wanted(intent)
    files.save(files.topology, files.topology.read_text())
    files.save(files.tunnel, files.tunnel.read_text())
    assert _settle(intent) is False
    assert _wanted(intent) == before


def test_comments_change_nothing_that_is_wanted(files: Files, intent: Intent):
    before = _wanted(intent)
    files.save(files.tunnel, "# Mine.\n" + files.tunnel.read_text())
    files.save(files.topology, "# Mine.\n" + files.topology.read_text())
    assert _settle(intent) is False
    assert _wanted(intent) == before


def test_a_file_that_cannot_be_read_is_tried_again(files: Files, intent: Intent):
    aside = files.topology.with_suffix(".aside")
    files.topology.rename(aside)
    files.topology.mkdir()
    assert intent.reload() is False
    for _ in range(2):
        with pytest.raises(DvrError, match="cannot be read: Is a directory"):
            intent.reload()
    files.topology.rmdir()
    aside.rename(files.topology)
    files.edit(files.topology, "ip: 10.10.10.4}", "ip: 10.10.10.5}")
    assert _settle(intent) is True


@pytest.mark.parametrize(
    ("which", "old", "new", "said"),
    [
        ("tunnel", "mod_dl_src:", "mod_dl_scr:", "br-tun.flows:23"),
        ("topology", "network: blue, ip: 192", "network: bleu, ip: 192", "topology.yaml:"),
    ],
)
def test_a_bad_save_keeps_the_last_good_and_is_said_once_and_a_good_one_after_it_is_applied(
    files: Files, intent: Intent, which: str, old: str, new: str, said: str
):
    file, before = getattr(files, which), _wanted(intent)
    program, topology = intent.program, intent.topology
    files.edit(file, old, new)
    assert intent.reload() is False
    with pytest.raises(FileError, match=said):
        intent.reload()
    assert [intent.reload() for _ in range(3)] == [False] * 3
    assert (intent.program, intent.topology) == (program, topology)
    assert _wanted(intent) == before
    files.edit(file, new, old)
    files.edit(files.tunnel, "hard_timeout=300", "hard_timeout=200")
    assert _settle(intent) is True
    assert _wanted(intent) != before


def test_a_bad_topology_keeps_flows_that_were_saved_with_it_from_being_applied(
    files: Files, intent: Intent
):
    before = _wanted(intent)
    files.edit(files.tunnel, "hard_timeout=300", "hard_timeout=301")
    files.edit(files.topology, "hosts:", "hots:")
    assert intent.reload() is False
    with pytest.raises(FileError):
        intent.reload()
    assert _wanted(intent) == before


def test_a_save_that_drops_most_hosts_waits_to_be_confirmed(files: Files, intent: Intent):
    before = _wanted(intent)
    alone = "hosts: {server-233: {address: 10.0.44.233}}\n"
    files.save(files.topology, alone)
    assert intent.reload() is False
    with pytest.raises(FileError, match="2 of the 3 hosts in force are not here"):
        intent.reload()
    assert _wanted(intent) == before and len(intent.topology.hosts) == 3
    files.save(files.topology, alone + "removed_hosts: [server-68, server-64]\n")
    assert _settle(intent) is True
    assert {*intent.topology.hosts} == {"server-233"}


def test_each_bad_save_is_said(files: Files, intent: Intent):
    for word in ("output1", "output2"):
        files.save(files.tunnel, f"table 0 A\n  miss: {word}\n")
        assert intent.reload() is False
        with pytest.raises(FileError, match=word):
            intent.reload()


def test_files_that_come_and_go(files: Files, intent: Intent):
    pipeline = files.tunnel.read_text()
    files.tunnel.unlink()
    assert _settle(intent) is True
    assert intent.identify("server-64/br-tun", 1) is None
    files.save(files.tunnel, pipeline)
    assert _settle(intent) is True
    assert intent.identify("server-64/br-tun", 1) == BridgeName("server-64", "br-tun")
    files.save(files.flows / "br-ex.flows", "table 0 A\n  miss: NORMAL\n")
    assert intent.reload() is False
    with pytest.raises(FileError, match="br-ex"):
        intent.reload()
    (files.flows / "br-ex.flows").unlink()
    before = _wanted(intent)
    text = files.topology.read_text()
    files.topology.unlink()
    assert intent.reload() is False
    with pytest.raises(DvrError, match="cannot be read"):
        intent.reload()
    assert _wanted(intent) == before
    files.save(files.topology, text)
    assert _settle(intent) is False


def test_a_file_that_an_editor_replaces_is_a_save(files: Files, intent: Intent, tmp_path: Path):
    other = tmp_path / "new"
    other.write_text(files.tunnel.read_text().replace("hard_timeout=300", "hard_timeout=301"))
    stat = files.tunnel.stat()
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(files.tunnel)
    assert _settle(intent) is True


def test_bridges_are_known_by_their_description(intent: Intent):
    assert intent.identify("server-233/br-tun", 1) == BRIDGE
    assert str(BRIDGE) == "server-233/br-tun"
    for description in ("", "server-233", "server-1/br-tun", "server-233/br-ex", "None", "/"):
        assert intent.identify(description, 1) is None


def test_bad_files_at_first_are_errors(files: Files):
    with pytest.raises(DvrError, match="no flow files here"):
        Intent(files.topology, files.topology.parent)
    files.save(files.tunnel, "table 0 A\n  miss: outptu\n")
    with pytest.raises(FileError, match="outptu"):
        Intent(files.topology, files.flows)


def test_flows_lead_to_where_an_instance_was_until_it_has_arrived(files: Files, intent: Intent):
    """First on the host that it has come to, then everywhere."""
    device = intent.topology.instances["vm-68"].device
    old, new = BridgeName("server-68", "br-int"), BridgeName("server-64", "br-int")
    for bridge in (old, new):
        intent.see_ports(bridge, {"patch-tun"} | ({device} if bridge == old else set()))

    def of(name: BridgeName) -> Topology:
        return intent.basis(name, PORTS).view.topology

    before = intent.topology
    files.edit(files.topology, "vm-68: {host: server-68,", "vm-68: {host: server-64,")
    assert _settle(intent)
    assert intent.away == {"vm-68": "server-68"}
    assert of(BRIDGE) == of(new) == before != intent.topology
    assert not intent.follow_moves(_call)
    intent.see_ports(new, {"patch-tun", device})
    assert intent.follow_moves(_call)
    assert (of(BRIDGE), of(old), of(new)) == (before, before, intent.topology)
    # All that takes long is done by now.
    assert intent.follow_moves(_refuse)
    assert of(BRIDGE) == of(old) == of(new) == intent.topology
    assert intent.away == {} and not intent.follow_moves(_call)
    change = intent.change_between(before, of(BRIDGE))
    assert {port.name for port in change.ports_come} == {"vm-68"}


class Move:
    """vm-68 on its way: the file says server-64 already, and it is still on server-68."""

    old, new = BridgeName("server-68", "br-int"), BridgeName("server-64", "br-int")

    def __init__(self, files: Files, intent: Intent) -> None:
        self._intent, self._device = intent, intent.topology.instances["vm-68"].device
        intent.see_ports(self.old, {"patch-tun", self._device})
        intent.see_ports(self.new, {"patch-tun"})
        files.edit(files.topology, "vm-68: {host: server-68,", "vm-68: {host: server-64,")
        assert _settle(intent) and intent.away == {"vm-68": "server-68"}

    def arrives(self) -> None:
        self._intent.see_ports(self.new, {"patch-tun", self._device})

    def ends(self) -> None:
        """All flows lead to the new host."""
        while self._intent.follow_moves(_call):
            pass
        assert self._intent.away == {}
        for name in (BRIDGE, self.old, self.new):
            assert self._intent.basis(name, PORTS).view.topology == self._intent.topology


def _comment(files: Files) -> None:
    files.save(files.topology, "# Mine.\n" + files.topology.read_text())


def test_an_arrival_while_a_comment_is_read_is_told(files: Files, intent: Intent):
    move = Move(files, intent)
    _comment(files)
    before = intent.basis(BRIDGE, PORTS).view.topology

    def apart(work: Callable[[], Any]) -> Any:
        move.arrives()
        return work()

    assert intent.reload() is False
    told = intent.reload(apart) or intent.follow_moves(_call)
    assert told or intent.basis(BRIDGE, PORTS).view.topology == before
    move.ends()


def test_a_comment_that_is_read_between_the_steps_of_an_arrival_is_told(
    files: Files, intent: Intent
):
    move = Move(files, intent)
    _comment(files)
    assert intent.reload() is False
    move.arrives()
    assert intent.follow_moves(_call)
    assert intent.reload() or intent.follow_moves(_call)
    move.ends()


def test_an_arrival_that_is_undone_between_its_steps_is_told(files: Files, intent: Intent):
    """The host that was ahead has what nobody wants any more."""
    move = Move(files, intent)
    _comment(files)
    assert intent.reload() is False
    move.arrives()
    assert intent.follow_moves(_call)
    intent.see_ports(move.new, {"patch-tun"})
    assert intent.reload()
    assert intent.away == {"vm-68": "server-68"}


@pytest.mark.parametrize("looked", [False, True], ids=["seen first", "looked first"])
@pytest.mark.parametrize("steps", [1, 2])
def test_an_arrival_that_is_followed_while_an_edit_is_read(
    files: Files, intent: Intent, steps: int, looked: bool
):
    """Each bridge gets what is wanted, whichever topology it has had so far."""
    move = Move(files, intent)
    had = [intent.basis(name, PORTS) for name in (BRIDGE, move.new)]
    files.edit(
        files.topology, "instances:\n", "instances:\n  other: {host: server-68, network: yellow}\n"
    )
    assert intent.reload() is False

    def apart(work: Callable[[], Any]) -> Any:
        read = work() if looked else None
        move.arrives()
        for _ in range(steps):
            assert intent.follow_moves(_call)
            had.extend(intent.basis(name, PORTS) for name in (BRIDGE, move.new))
        return read or work()

    assert intent.reload(apart)
    after = intent.basis(BRIDGE, PORTS).view.topology
    for basis in had:
        before = basis.view.topology
        assert intent.change_between(before, after) == compare(before, after)
    move.ends()


def test_nothing_is_shut_by_a_file_that_is_not_in_force_yet(
    files: Files, intent: Intent, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(places, "LINGER", 0)
    device = intent.topology.instances["vm-68"].device
    intent.see_ports(Move.old, {"patch-tun", device})
    files.edit(files.topology, "vm-68: {host: server-68,", "vm-68: {host: server-64,")
    assert intent.reload() is False

    def apart(work: Callable[[], Any]) -> Any:
        read = work()
        assert list(intent.strays()) == []
        return read

    assert intent.reload(apart)
    assert intent.away == {"vm-68": "server-68"}


def test_a_host_that_is_left_and_goes_stays_until_it_is_left(files: Files, intent: Intent):
    device = intent.topology.instances["vm-68"].device
    old, new = BridgeName("server-68", "br-int"), BridgeName("server-64", "br-int")
    intent.see_ports(old, {"patch-tun", device})
    lines = files.topology.read_text().splitlines(keepends=True)
    start, end = lines.index("  server-68:\n"), lines.index("  server-64:\n")
    text = "".join(lines[:start] + lines[end:]).replace("host: server-68", "host: server-64")
    files.save(files.topology, text.replace("server-68: 3", "").replace("server-68: 2, ", ""))
    assert _settle(intent) and "server-68" not in intent.topology.hosts

    def hosts() -> set[str]:
        known = set(intent.basis(BRIDGE, PORTS).view.topology.hosts)
        assert (intent.identify("server-68/br-int", 1) == old) == ("server-68" in known)
        return known

    assert hosts() == {"server-233", "server-64", "server-68"} and intent.away
    intent.see_ports(new, {"patch-tun", device})
    while intent.follow_moves(_call):
        pass
    assert intent.away == {} and "server-68" in hosts()
    intent.see_ports(old, {"patch-tun"})
    while intent.follow_moves(_call):
        pass
    assert hosts() == {"server-233", "server-64"}


def _call(work: Callable[[], Any]) -> Any:
    return work()


def _refuse(work: Callable[[], Any]) -> Any:
    raise AssertionError(f"{work} is done twice")
