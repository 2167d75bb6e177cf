"""sh runs the script that `dvr companion plan --as script` prints, on the article's hosts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from dvr_ryu.errors import DIFFERENT
from dvr_ryu.lab.hosts.bare import bare_lab
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from tests.lab.support.companions import Companion, await_lease, run

FILE = examples_dir() / "human-defined-dvr.yaml"
DVR = str(Path(sys.executable).with_name("dvr"))
EDITS = {
    "an instance leaves": (
        "server-233",
        ("cirros: {host: server-233", "cirros: {host: server-64"),
    ),
    "an instance comes": ("server-64", ("cirros: {host: server-233", "cirros: {host: server-64")),
    "another MTU": ("server-233", ("mtu: 1550", "mtu: 1600")),
    "another floating address": ("server-233", ("2.2.2.100: {", "2.2.2.101: {")),
    "a central floating address": (
        "server-64",
        ("cirros, rule_priority: 57482}", "cirros, central: true}"),
    ),
    "another address": ("server-233", ("192.168.10.222", "192.168.10.223")),
    "another host's address": ("server-68", ("10.0.44.64", "10.0.44.65")),
}


@pytest.fixture(scope="module")
def companions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Companion]]:
    """The companions of bare hosts; each has a topology file of its own."""
    topology = load_topology(FILE)
    folder = tmp_path_factory.mktemp("topologies")
    with bare_lab(topology) as lab:
        yield {name: Companion(lab[name], folder / f"{name}.yaml", name) for name in topology.hosts}


@pytest.fixture
def bare(companions: Mapping[str, Companion]) -> Iterator[Mapping[str, Companion]]:
    """The same companions, on hosts that have nothing yet, with the article's topology."""
    for companion in companions.values():
        companion.file.write_text(FILE.read_text())
    yield companions
    for companion in companions.values():
        companion("down")


def follow_script(companion: Companion) -> None:
    """Run the script."""
    command = [DVR, "companion", "plan", str(companion.file), "--host", companion.name]
    planned = companion.host.run([*command, "--as", "script"], check=False)
    assert planned.returncode == DIFFERENT, planned.stderr
    companion.host.run(["sh", "-s"], input=planned.stdout)


def test_after_the_script_there_is_nothing_to_apply(bare):
    for companion in bare.values():
        follow_script(companion)
        assert companion("plan") == []
        assert companion("apply") == []
    host = bare["server-233"].host
    run(host, "ovs-ofctl add-flow br-int actions=NORMAL")
    assert await_lease(host, "cirros")["ip"] == "192.168.10.222/24"


def test_the_script_makes_routers_and_instances_of_every_shape(bare):
    """NICs, addresses and routes of the other example, whose hosts take the names of these."""
    text = (examples_dir() / "shapes.yaml").read_text()
    for theirs, ours in (("1", "233"), ("2", "68"), ("3", "64")):
        text = text.replace(f"server-{theirs}", f"server-{ours}")
        text = text.replace(f"10.0.45.1{theirs}", f"10.0.44.{ours}")
    text = text.replace("10.0.45.", "10.0.44.")
    for name in ("server-68", "server-64"):
        bare[name].file.write_text(text)
        follow_script(bare[name])
        assert bare[name]("plan") == []


@pytest.mark.parametrize("edit", EDITS)
def test_a_script_leads_from_one_topology_to_another_and_back(bare, edit):
    name, (old, new) = EDITS[edit]
    companion = bare[name]
    companion("apply")
    companion.edit(old, new)
    follow_script(companion)
    assert companion("plan") == []
    companion.edit(new, old)
    follow_script(companion)
    assert companion("plan") == []
