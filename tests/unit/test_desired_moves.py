"""Flows lead to where an instance was until it has arrived, whatever is saved meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dvr_ryu.desired_state import DesiredState
from dvr_ryu.switch import instance_ports
from dvr_ryu.switch.guard.identity import BridgeName
from dvr_ryu.topology.changes import compare
from dvr_ryu.topology.topology import Topology
from tests.unit.saved_files import BRIDGE, PORTS, Files, of_files, settle


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def desired(files: Files) -> DesiredState:
    return of_files(files.topology, files.flows)


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
    assert settle(desired)
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
    assert {port.name for port in change.ports_added} == {"vm-68"}


class Move:
    """vm-68 on its way: the file says server-64 already, and it is still on server-68."""

    old, new = BridgeName("server-68", "br-int"), BridgeName("server-64", "br-int")

    def __init__(self, files: Files, desired: DesiredState) -> None:
        self._desired, self._device = desired, desired.topology.instances["vm-68"].device
        desired.see_ports(self.old, {"patch-tun", self._device})
        desired.see_ports(self.new, {"patch-tun"})
        files.edit(files.topology, "vm-68: {host: server-68,", "vm-68: {host: server-64,")
        assert settle(desired) and desired.moving == {"vm-68": "server-68"}

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
    changed = desired.reload(apart) or desired.follow_moves(_call)
    assert changed or desired.basis(BRIDGE, PORTS).view.topology == before
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
    assert settle(desired) and "server-68" not in desired.topology.hosts

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
