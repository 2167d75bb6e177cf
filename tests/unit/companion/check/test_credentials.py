"""The findings of `companion check` and the companion's log on a host's certificate over time."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import pytest
from attrs import evolve

from dvr_ryu.companion.check import credentials
from dvr_ryu.companion.desired.tls import TlsOptions
from dvr_ryu.pki import certificates, making
from dvr_ryu.pki.files import folder_of_host, of_host
from dvr_ryu.pki.watch import FilesWatch
from dvr_ryu.topology.controller import Controller
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

HOST = "server-64"
YEAR = 365 * 86400


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki") / "pki"
    making.init(folder)
    making.make_host(folder, HOST)
    return folder_of_host(folder, HOST)


@pytest.fixture
def files(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "files"))


def found(article: Topology, files: Path, controller: str = "ssl") -> list[tuple[str, str, str]]:
    topology = evolve(article, controller=Controller("10.0.44.1", 6653, controller == "ssl"))
    each = credentials.findings(HostView(topology, HOST), TlsOptions(files))
    return [(one.verdict.name, one.seen, one.advice) for one in each]


def now_is(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    then = time.time() + seconds
    monkeypatch.setattr(time, "time", lambda: then)


def test_the_check_says_until_when_it_is_good(
    article: Topology, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert found(article, files, "tcp") == []
    day = certificates.read(of_host(files, HOST).certificate).last_day
    good = f"{HOST}'s in {files}, good until {day}"
    assert found(article, files) == [("PASS", good, "")]
    now_is(monkeypatch, 10 * YEAR - 20 * 86400)
    ((verdict, seen, advice),) = found(article, files)
    assert (verdict, seen) == ("WARN", good)
    assert advice.startswith("renew it on the controller's machine: dvr pki host server-64; then")
    now_is(monkeypatch, YEAR)
    ((verdict, seen, advice),) = found(article, files)
    assert (verdict, seen) == ("FAIL", f"{files}/{HOST}-cert.pem has expired on {day}")
    assert advice.startswith("on the controller's machine: dvr pki host server-64; then copy")


def test_a_watch_sees_what_is_replaced_and_what_is_wrong(files: Path) -> None:
    its = of_host(files, HOST)
    watch = FilesWatch(its)
    assert (watch.line(), watch.replaced(), watch.replaced()) == ("", True, False)
    its.certificate.write_text("x")
    assert "has no certificate that can be read" in watch.line()
    assert (watch.replaced(), watch.replaced()) == (True, False)
    its.certificate.unlink()
    assert "is missing" in watch.line()
    assert watch.replaced()


def test_a_watch_looks_again_at_files_that_stay_the_same(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = FilesWatch(of_host(files, HOST))
    assert watch.line() == ""
    now_is(monkeypatch, 10 * YEAR - 20 * 86400)
    assert watch.line() == ""
    monkeypatch.setattr("dvr_ryu.pki.watch.LOOK_SECONDS", -1)
    watch._judge_again = 0
    assert f"{HOST}-cert.pem expires on" in watch.line()
    now_is(monkeypatch, 40 * 86400)
    assert f"{HOST}-cert.pem has expired on" in watch.line()
