"""Moves of virtual machines: a machine that comes runs on, and one that does not come is ended, so
that it can be started anew. A peer at a real socket stands for each qemu.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain, repeat
from pathlib import Path

import pytest

from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.processes import migrations, processes
from dvr_ryu.companion.resources.virtual_machine import INCOMING, VirtualMachine, process_name
from dvr_ryu.errors import HostError
from tests.unit.companion.providers.qmp_peer import Answer, Message, qmp_peer

WAITS, RUNS = "inmigrate", "running"


def machine(instance: str) -> VirtualMachine:
    return VirtualMachine(process_name(instance), "", ("qemu",), ("device", "", instance))


def qemu(states: Sequence[str], migration: str | None = None) -> Answer:
    """A qemu that has these states, one after the other, and the last one from then on; and this
    status of its migration, if one has begun.
    """
    coming = chain(states, repeat(states[-1]))

    def answer(command: str) -> Message | None:
        if command == "query-status":
            state = next(coming)
            return {"return": {"status": state}} if state else None
        if command == "query-migrate":
            return {"return": {"status": migration} if migration else {}}
        return {"return": {}}

    return answer


class Host:
    """The qemus of a host: instead of starting programs, it opens the sockets of peers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.qemus: dict[str, Answer] = {}
        """Instance → its qemu; without one it cannot be started."""
        self.opened = ExitStack()
        self.started: list[tuple[str, tuple[str, ...]]] = []
        self.ended: list[str] = []
        self.noted: str | None = None

    def make(self, resources: Sequence[VirtualMachine]) -> None:
        self.noted = notes.text(migrations.ARRIVING)
        for each in resources:
            self.started.append((each.instance, each.argv))
            if each.instance not in self.qemus:
                raise HostError(f"{each.name} does not start")
            self.run(each.instance)

    def run(self, instance: str) -> list[Message]:
        """Run a qemu; return the list of what it is asked."""
        peer = qmp_peer(Path(self.socket(instance)), self.qemus[instance])
        return self.opened.enter_context(peer)

    def remove(self, resources: Sequence[VirtualMachine]) -> None:
        self.ended += [each.instance for each in resources]

    def socket(self, instance: str) -> str:
        return str(self.folder / instance)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    host = Host(tmp_path)
    monkeypatch.setattr(migrations, "qmp_socket", host.socket)
    monkeypatch.setattr(migrations, "Processes", lambda: host)
    monkeypatch.setattr(migrations, "ARRIVING", tmp_path / "arriving")
    monkeypatch.setattr(notes, "UNFINISHED", tmp_path / "unfinished")
    monkeypatch.setattr(migrations, "PAUSE", 0.001)
    with host.opened:
        yield host


def receive(*instances: str) -> list[str]:
    found = migrations.receive({machine(each): f"tcp:10.0.0.1:{each}" for each in instances})
    assert not migrations.ARRIVING.exists()
    return [each.instance for each in found]


def test_a_machine_comes_running(host: Host) -> None:
    host.qemus = {"a": qemu([WAITS, WAITS, RUNS])}
    assert receive("a") == ["a"] and host.ended == []
    assert host.started == [("a", ("qemu", INCOMING, "tcp:10.0.0.1:a"))]
    assert host.noted == "qemu-a\n", "a killed companion's successor knows it"


def test_a_machine_that_its_old_host_does_not_send_is_ended(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "BEGIN_SECONDS", 0.05)
    host.qemus = {"a": qemu([WAITS]), "b": qemu([WAITS, RUNS])}
    assert receive("a", "b") == ["b"] and host.ended == ["a"]


def test_a_machine_on_its_way_has_longer_but_not_for_ever(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "BEGIN_SECONDS", 0.0)
    host.qemus = {"a": qemu([*[WAITS] * 20, RUNS], "active")}
    assert receive("a") == ["a"] and host.ended == []
    monkeypatch.setattr(migrations, "WHOLE_SECONDS", 0.05)
    host.qemus = {"b": qemu([WAITS], "active")}
    assert receive("b") == [] and host.ended == ["b"]


@pytest.mark.parametrize("last", ["", "internal-error", "paused"])
def test_a_machine_that_fails_on_its_way_is_ended_at_once(host: Host, last: str) -> None:
    host.qemus = {"a": qemu([WAITS, last])}  # such as one whose devices are others here
    assert receive("a") == [] and host.ended == ["a"]


def test_a_machine_that_cannot_listen_holds_up_no_other(host: Host) -> None:
    host.qemus = {"a": qemu([WAITS, RUNS])}
    assert receive("a", "b") == ["a"] and host.ended == ["b"]


@pytest.mark.parametrize(
    ("status", "sent"),
    [(None, True), ("none", True), ("failed", True), ("cancelled", True)]
    + [(status, False) for status in ("setup", "active", "device", "completed")],
)
def test_a_machine_is_sent_until_that_begins(host: Host, status: str | None, sent: bool) -> None:
    host.qemus = {"a": qemu([RUNS], status)}
    requests = host.run("a")
    migrations.send("a", "tcp:10.0.0.2:50000")
    migrate = {"execute": "migrate", "arguments": {"uri": "tcp:10.0.0.2:50000"}}
    assert requests[1:] == ([migrate] if sent else [])


def test_machines_that_have_come_announce_themselves_and_others_are_no_error(host: Host) -> None:
    host.qemus = {"b": qemu([RUNS])}
    requests = host.run("b")
    migrations.announce(["a", "b"])
    assert [each["execute"] for each in requests] == ["announce-self"]
    migrations.send("a", "tcp:10.0.0.2:50000")


def test_a_killed_companions_machines_are_ended(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    monkeypatch.setattr(processes, "end", ended.extend)
    migrations.tidy()
    assert ended == []
    notes.replace(migrations.ARRIVING, "qemu-a\nqemu-b\n")
    migrations.tidy()
    assert ended == ["qemu-a", "qemu-b"] and not migrations.ARRIVING.exists()
