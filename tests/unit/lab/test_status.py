"""The status that `dvr status` prints: a controller's page, companions' files, or neither."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from dvr_ryu.cli import cli
from dvr_ryu.companion.upkeep.reporting import STATE_FILE, StateFile
from dvr_ryu.errors import DvrError
from dvr_ryu.lab import status
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.switch.guard.identity import BridgeName, Peer
from dvr_ryu.switch.record import Records
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.web.address import PageAddress
from dvr_ryu.web.messages import document
from dvr_ryu.web.server import Server
from dvr_ryu.web.status import ControllerState, Status

HOSTS = parse_topology("hosts: {h1: {address: 10.0.0.1}, h2: {address: 10.0.0.2}}", "t").hosts


class Synced:
    in_sync, refused = True, ""


class Refusing:
    in_sync, refused = False, "br-int.flows:7: the switch refuses this flow"


def found(version: str = "1", error: str = "", of_h2: Any = Synced) -> dict[str, Any]:
    """A controller's document: both bridges are connected, that of h1 is in sync."""
    records = Records()
    names = [BridgeName(host, "br-int") for host in HOSTS]
    for name in names:
        records.of(name).connected(Peer("10.0.0.1", 7))
    states = dict(zip(names, (Synced(), of_h2()), strict=True))
    controller = ControllerState("t.yaml", "flows", version=version, error=error)
    return Status(controller, HOSTS, ("br-int",), states, records).document()


@pytest.fixture
def page() -> Iterator[Callable[[dict[str, Any]], str]]:
    """A function: a document → the URL of a page that serves it."""
    served: list[Server] = []

    def serve(shown: dict[str, Any]) -> str:
        routes = {"/status.json": lambda _: document(shown)}
        served.append(Server(PageAddress("127.0.0.1", 0), routes, "page", "page"))
        served[-1].start()
        return served[-1].address.url

    yield serve
    for each in served:
        each.stop()


def noted(root: Path, state: str, topology: str, error: str = "") -> status.Companion:
    """What is read back of what a companion has noted."""
    file = root / STATE_FILE.relative_to("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dvr_ryu.companion.upkeep.reporting.STATE_FILE", file)
        patch.setattr("dvr_ryu.companion.providers.notes.UNFINISHED", root / "unfinished")
        StateFile("h1").write(state, 3, topology, error)
    (root / "proc" / str(os.getpid())).mkdir(parents=True, exist_ok=True)
    known = status.companion(root)
    assert known
    return known


def test_a_companion_is_known_by_what_it_notes(tmp_path: Path) -> None:
    known = noted(tmp_path, "applied", "1")
    assert (known.host, known.state, known.running) == ("h1", "applied", True)
    (tmp_path / "proc" / str(os.getpid())).rmdir()
    ended = status.companion(tmp_path)
    assert ended and ended.document()["state"] == "ended"
    (tmp_path / STATE_FILE.relative_to("/")).write_text('{"state": 7')
    assert status.companion(tmp_path) is None


@pytest.mark.parametrize(
    ("state", "version", "in_sync"),
    [("applied", "1", True), ("applied", "2", False), ("moving", "1", False),
     ("failed", "1", False)],
)  # fmt: skip
def test_a_host_is_in_sync_if_its_companion_has_the_same_topology(
    tmp_path: Path, state: str, version: str, in_sync: bool
) -> None:
    shown = status.put_together(found(version="1"), {"h1": noted(tmp_path, state, version)})
    assert [host["in_sync"] for host in shown["hosts"]] == [in_sync, True]
    assert shown["in_sync"] is in_sync


def test_nothing_is_in_sync_while_a_save_is_refused() -> None:
    assert status.exit_code(status.put_together(found(), {})) == 0
    refused = status.put_together(found(error="t.yaml:3:1: unknown key"), {})
    assert status.exit_code(refused) == 2
    assert status.exit_code(status.put_together(found(of_h2=Refusing), {})) == 2


def test_dvr_status_prints_it(page: Callable[[dict[str, Any]], str]) -> None:
    url = page(found(error="t.yaml:3:1: unknown key", of_h2=Refusing))
    printed = CliRunner().invoke(cli, ["status", "--url", url])
    assert printed.exit_code == 2
    assert "the last save is not in force" in printed.stdout
    assert "t.yaml:3:1: unknown key" in printed.stdout
    lines = [line.split("  ")[0].split() for line in printed.stdout.splitlines() if "/br-" in line]
    assert lines == [["h1/br-int"], ["h2/br-int"]]
    assert "refuses its flows" in printed.stdout
    as_json = CliRunner().invoke(cli, ["status", "--url", page(found()), "--json"])
    assert as_json.exit_code == 0
    assert json.loads(as_json.stdout)["in_sync"] is True


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:1/", "no controller answers at http://127.0.0.1:1/: Connection refused"),
        ("127.0.0.1:1", "no controller answers at 127.0.0.1:1"),
        ("https://127.0.0.1:1/", "is no address of a page: write http://ADDRESS:PORT/"),
        ("http://127.0.0.1:x/", "is no controller of dvr_ryu"),
        ("", "is no address of a page"),
    ],
)
def test_a_page_that_does_not_answer_is_an_error_for_people(url: str, error: str) -> None:
    with pytest.raises(DvrError) as raised:
        status.read(url)
    assert error in str(raised.value)


def test_another_server_is_no_controller() -> None:
    answers = {"/status.json": lambda _: document([1])}
    other = Server(PageAddress("127.0.0.1", 0), answers, "page", "page")
    other.start()
    try:
        with pytest.raises(DvrError, match="is no controller"):
            status.read(other.address.url)
    finally:
        other.stop()


def test_a_machine_with_nothing_of_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "USUAL", "http://127.0.0.1:1/")
    monkeypatch.setattr(status, "companion", lambda: None)
    with pytest.raises(DvrError, match=r"name its page: --url .* no lab and no companion"):
        status.read(folder=StateFolder(tmp_path / "none"))


def test_a_host_shows_its_companion_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = noted(tmp_path, "failed", "1", "no bridge br-int")
    monkeypatch.setattr(status, "USUAL", "http://127.0.0.1:1/")
    monkeypatch.setattr(status, "companion", lambda: known)
    shown = status.read(folder=StateFolder(tmp_path / "none"))
    assert (shown["controller"], shown["in_sync"]) == (None, False)
    assert shown["hosts"][0]["companion"]["error"] == "no bridge br-int"
