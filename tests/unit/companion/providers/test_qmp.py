"""QMP with a peer at a real socket that answers, refuses, ends or says nothing."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dvr_ryu.companion.providers.processes import qmp
from dvr_ryu.errors import HostError
from tests.unit.companion.providers.qmp_peer import Message, qmp_peer

ANSWERS: dict[str, Message] = {
    "query-status": {"return": {"status": "running"}},
    "query-block": {"return": []},
    "device_add": {"error": {"class": "GenericError", "desc": "no such bus"}},
}
answer = ANSWERS.get


def test_a_result_is_found_among_events(tmp_path: Path) -> None:
    path = tmp_path / "qmp"
    with qmp_peer(path, answer) as requests, qmp.opened(str(path)) as machine:
        assert machine.execute("query-status", of="all") == {"status": "running"}
        assert machine.execute("query-block") == {}
        assert requests[0] == {"execute": "query-status", "arguments": {"of": "all"}}


def test_a_connection_ends_with_its_block(tmp_path: Path) -> None:
    path = tmp_path / "qmp"
    with qmp_peer(path, answer):
        with qmp.opened(str(path)) as first:
            assert first.execute("query-status")
        with qmp.opened(str(path)) as second:  # the peer, as qemu, serves one at a time
            assert second.execute("query-status")


def test_a_refusal_has_qemus_words(tmp_path: Path) -> None:
    path = tmp_path / "qmp"
    with qmp_peer(path, answer), qmp.opened(str(path)) as machine:
        with pytest.raises(HostError, match="qemu refuses device_add: no such bus"):
            machine.execute("device_add")
        assert machine.execute("query-status"), "the connection stays"


def test_a_qemu_that_ends_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "qmp"
    with (
        qmp_peer(path, answer),
        qmp.opened(str(path)) as machine,
        pytest.raises(HostError, match="qemu has ended"),
    ):
        machine.execute("quit")
    with pytest.raises(FileNotFoundError), qmp.opened(str(path)):
        pass


def test_a_silent_qemu_is_not_awaited_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(qmp, "PATIENCE", 0.05)
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "qmp"))
        silent.listen()
        with pytest.raises(TimeoutError), qmp.opened(str(tmp_path / "qmp")):
            pass
