"""The article's whole lab: it comes up, passes its proof, shows damage, and goes without
remains.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from dvr_ryu.lab import entering, lifecycle, report, status
from dvr_ryu.lab.hosts.host import MARKER
from dvr_ryu.lab.hosts.process import with_variable
from dvr_ryu.lab.proof import proof
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.shipped import examples_dir

ARTICLE = examples_dir() / "human-defined-dvr.yaml"


def _silent(step: str) -> None:
    pass


def _of_the_machine() -> list[str]:
    commands = (["ip", "-br", "link"], ["ip", "netns"], ["ip", "rule"], ["ip", "route"])
    return [subprocess.run(each, capture_output=True, text=True).stdout for each in commands]


@pytest.fixture(scope="module")
def article(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StateFolder]:
    """The state folder of the article's lab, up with all its services."""
    before = _of_the_machine()
    folder = StateFolder(tmp_path_factory.mktemp("article") / "dvr_lab")
    try:
        lifecycle.up(ARTICLE, _silent, folder)
        assert _of_the_machine() == before
        yield folder
    finally:
        lifecycle.down(folder)
    assert not list(with_variable(MARKER, str(folder.path)))
    assert not folder.path.exists()
    assert _of_the_machine() == before


def test_everything_passes(article: StateFolder) -> None:
    results = proof.prove(_silent, article)
    failed = [result for result in results if not result.passed]
    assert not failed
    assert len(results) > 30 and proof.exit_code(results) == 0


def test_names_are_those_of_the_topology(article: StateFolder) -> None:
    assert {"server-233", "controller", "cirros", "lonely-68"} <= set(entering.names(article))
    host, namespace = entering.find("cirros", article)
    assert (host.name, namespace) == ("server-233", "vm-cirros")


def test_show_has_the_bridges_and_the_addresses(article: StateFolder) -> None:
    shown = report.show(article)
    bridges = {host.name: host.bridges for host in shown.hosts}
    assert {"br-int", "br-tun"} <= set(bridges["server-64"])
    addresses = {instance.name: instance.addresses for instance in shown.instances}
    assert addresses["cirros"] == ("192.168.10.222/24",)
    assert article.log("controller") in shown.logs


def test_the_status_is_that_of_the_controller_and_of_all_companions(article: StateFolder) -> None:
    found = status.read(folder=article)
    assert found["in_sync"] and status.exit_code(found) == 0
    assert {host["companion"]["state"] for host in found["hosts"]} == {"applied"}
    assert len(found["bridges"]) == 6 and all(each["in_sync"] for each in found["bridges"])
    assert report.show(article).page.startswith("http://127.0.0.1:")
    by_url = status.read(report.show(article).page)
    assert [host["companion"] for host in by_url["hosts"]] == [None] * 3


def test_the_status_sees_a_companion_that_has_ended(article: StateFolder) -> None:
    host, _ = entering.find("server-64", article)
    host.run(["kill", str(host.service_pid("companion"))])
    wait_until(lambda: host.service_pid("companion") is None, 20, "its end")
    found = status.read(folder=article)
    assert status.exit_code(found) == 2
    states = {each["name"]: each["companion"]["state"] for each in found["hosts"]}
    assert states == {"server-233": "applied", "server-68": "applied", "server-64": "ended"}


def test_the_proof_sees_a_host_that_is_cut_off(
    article: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This test is the last, because it damages the lab: checks across hosts fail, and only
    those.
    """
    monkeypatch.setattr("dvr_ryu.lab.proof.probes.PATIENCE", 1)
    host, _ = entering.find("server-68", article)
    host.run(["ip", "link", "set", "eth0", "down"])
    results = proof.prove(_silent, article)
    assert proof.exit_code(results) == 2
    failed = {
        (result.what, result.source, result.target) for result in results if not result.passed
    }
    assert ("layer 2, across hosts", "vm-233", "vm-68") in failed
    assert ("layer 3, on one host", "vm-68", "blue-68") not in failed
    assert ("layer 2, across hosts", "cirros", "vm-64") not in failed
