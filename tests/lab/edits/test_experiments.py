"""The experiments in the article's lab: each does what its README says, and a change loses no
packet.
"""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import pytest
from scapy.layers.l2 import ARP

from dvr_ryu.errors import DvrError, FileError, HostError
from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.cabling import BRIDGE
from dvr_ryu.lab.proof import proof
from dvr_ryu.lab.services.services import LabService
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.language.cookie import COOKIE
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.bridges import BRIDGES
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from dvr_ryu.web import client
from tests.lab.support.article import (
    CIRROS,
    PEER,
    Article,
    article_lab,
    captured,
    log_lines,
    pinging,
    tunnelled,
)

EXPERIMENTS = flows_dir() / "experiments"
ARTICLE, LEARN_ONLY, COUNT_DROPS = (
    EXPERIMENTS / name for name in ("article", "learn-only", "count-drops")
)
FOLDERS = [flows_dir(), ARTICLE, LEARN_ONLY, COUNT_DROPS]
LEARNED = "cookie=0x6c6561726e6564/-1"


@pytest.fixture(scope="module")
def article(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Article]:
    with article_lab(tmp_path_factory.mktemp("article")) as article:
        yield article


def change(article: Article, folder: Path) -> list[str]:
    return lifecycle.change_pipelines(folder, article.folder)


def ask_for_gateways(article: Article) -> None:
    """Let every instance with a gateway ask for it, so that its br-int learns the gateway's
    port.
    """
    for each in load_topology(article.file).instances.values():
        gateway = {"blue": "192.168.10.1", "yellow": "10.10.10.1"}.get(each.network)
        if gateway:
            article.run((each.host, f"vm-{each.name}"), f"arping -c 1 -w 2 -I eth0 {gateway}")


def dumped(article: Article, host: str, bridge: str, filters: str) -> list[str]:
    """The flows without fields that change by themselves, such as ages and counters."""
    command = f"ovs-ofctl -O OpenFlow14 --no-stats --no-names dump-flows {bridge} {filters}"
    lines = article.run((host, None), command).splitlines()
    return sorted(line.strip() for line in lines if "actions=" in line)


def assert_has_just(article: Article, folder: Path) -> None:
    """Compare our flows of every bridge with those that ovs-ofctl makes of the same lines."""
    topology, pipelines = load_topology(article.file), load_pipelines(folder)
    for name in topology.hosts:
        host, view = article.lab[name], HostView(topology, name)
        make_judge = "ovs-vsctl --may-exist add-br judge -- set bridge judge datapath_type=netdev"
        article.run((name, None), f"{make_judge} fail_mode=secure protocols=OpenFlow14")
        for bridge in BRIDGES:
            flows = pipelines.planned(bridge, view).flows()
            text = "".join(f"{flow.installed()}\n" for flow in flows)
            host.run(["ovs-ofctl", "-OOpenFlow14", "replace-flows", "judge", "-"], input=text)
            expected = dumped(article, name, "judge", "")
            assert dumped(article, name, bridge, f"cookie={COOKIE:#x}/-1") == expected


def walk(folders: Sequence[Path]) -> Iterator[Path]:
    """A path that takes every step between two folders exactly once, in both directions."""
    for at, folder in enumerate(folders):
        yield folder
        for other in folders[at + 2 :]:
            yield other
            yield folder
    yield from reversed(folders[:-1])


def test_the_walk_takes_every_step_once() -> None:
    steps = list(walk(FOLDERS))
    pairs = set(pairwise(steps))
    assert len(steps) - 1 == len(pairs) == len(FOLDERS) * (len(FOLDERS) - 1)


def await_log(controller: LabService, before: int, lines: Sequence[str]) -> None:
    """Wait until the controller has logged just these bridges; the first `before` are older."""

    def logged() -> bool:
        return sorted(log_lines(controller, "in sync")[before:]) == sorted(lines)

    wait_until(logged, 20, "the controller logs each bridge once")


def test_every_change_is_one_bundle_a_bridge_and_loses_nothing(article: Article) -> None:
    assert lifecycle.pipelines_of(article.folder) == flows_dir().resolve()
    blue_68 = load_topology(article.file).instances["blue-68"].ip
    controller = article.controller()
    _, *steps = walk(FOLDERS)
    with ExitStack() as pings:
        for endpoint, address in (
            (CIRROS, blue_68),
            (CIRROS, "10.10.10.4"),
            (PEER, "192.168.10.222"),
            (("server-64", None), "2.2.2.100"),
        ):
            pings.enter_context(pinging(article, endpoint, address))
        for folder in steps:
            before = len(log_lines(controller, "in sync"))
            lines = change(article, folder)
            await_log(controller, before, lines)
            assert len({line.split()[0] for line in lines}) == 6
            assert lifecycle.pipelines_of(article.folder) == folder.resolve()
            assert_has_just(article, folder)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_does_what_its_readme_says(article: Article, folder: Path) -> None:
    """Only the article's pipeline lets gateway ARP pass, as its README says."""
    change(article, folder)
    ask_for_gateways(article)
    results = proof.prove(lambda _: None, article.folder)
    failed = {result.what for result in results if not result.passed}
    if folder == ARTICLE:
        assert "no gateway ARP" in failed
        # arping may or may not see a second router's answer: it is a matter of microseconds.
        failed -= {"no gateway ARP", "gateway's ARP"}
    assert not failed


def test_article_lets_every_router_answer(article: Article, tmp_path: Path) -> None:
    change(article, ARTICLE)
    with captured(article.lab.underlay_host, BRIDGE, None, tmp_path / "wire") as crossed:
        article.run(CIRROS, "arping -c 1 -w 2 -I eth0 192.168.10.1")
        article.run(CIRROS, "ping -c 1 10.10.10.4")
    arps = [frame for _, frame in tunnelled(crossed) if ARP in frame]
    asked = [frame for frame in arps if frame[ARP].pdst == "192.168.10.1"]
    answered = {frame.src for frame in arps if frame[ARP].psrc == "192.168.10.1"}
    assert asked
    assert answered == {"fa:16:3f:08:c7:a5", "fa:16:3f:c9:7c:3c"}


def test_article_shows_the_hosts_mac_to_instances(article: Article, tmp_path: Path) -> None:
    change(article, ARTICLE)
    ask_for_gateways(article)
    with captured(article.lab[PEER[0]], "eth0", PEER[1], tmp_path / "peer") as arrived:
        article.run(CIRROS, "ping -c 1 10.10.10.4")
    sources = {frame.src for frame in arrived if frame.type == 0x0800}
    assert "fa:16:3f:02:d7:f2" in sources and "fa:16:3e:de:07:79" not in sources


def test_article_routes_twice_while_br_int_does_not_know_the_gateway(article: Article) -> None:
    change(article, ARTICLE)

    def duplicated() -> bool:
        for name in load_topology(article.file).hosts:
            article.run((name, None), "ovs-appctl fdb/flush br-int")
        return "(DUP!)" in article.run(CIRROS, "ping -c 2 -i 0.2 10.10.10.4")

    # A switch needs a moment to flush its caches, too.
    wait_until(duplicated, 10, "an answer that comes twice")
    ask_for_gateways(article)
    assert "(DUP!)" not in article.run(CIRROS, "ping -c 3 -i 0.1 10.10.10.4")


def test_learn_only_learns_from_layer_2_and_not_from_routed_packets(article: Article) -> None:
    change(article, LEARN_ONLY)
    instances = load_topology(article.file).instances
    host = article.lab[CIRROS[0]]
    host.run(["ovs-ofctl", "del-flows", "br-tun", LEARNED])

    def learned() -> str:
        return "\n".join(dumped(article, host.name, "br-tun", f"table=20,{LEARNED}"))

    article.run(CIRROS, "ping -c 2 -i 0.1 10.10.10.4")
    assert instances["vm-68"].mac not in learned()
    article.run(CIRROS, "ip neigh flush dev eth0")
    article.run(CIRROS, f"ping -c 1 {instances['blue-68'].ip}")
    # Open vSwitch revalidates cached flows of the datapath only now and then.
    taught = f"dl_dst={instances['blue-68'].mac}"
    wait_until(lambda: taught in learned(), 5, f"table 20 has learnt {taught}")


def test_count_drops_counts_packets_that_must_not_leave(article: Article) -> None:
    change(article, COUNT_DROPS)

    def dropped() -> int:
        printed = article.run((CIRROS[0], None), "ovs-ofctl dump-flows br-tun table=93")
        found = re.search(r"n_packets=(\d+)", printed)
        assert found
        return int(found[1])

    before = dropped()
    article.run(CIRROS, "arping -c 3 -w 5 -I eth0 192.168.10.1")
    wait_until(lambda: dropped() == before + 1, 5, "the broadcast question is counted")


def test_bad_flows_change_nothing(article: Article, tmp_path: Path) -> None:
    change(article, LEARN_ONLY)
    before = len(log_lines(article.controller(), ""))
    shutil.copytree(ARTICLE, tmp_path / "bad")
    tunnel = tmp_path / "bad" / "br-tun.flows"
    tunnel.write_text(tunnel.read_text().replace("resubmit(,22)", "resubmit(,23)"))
    with pytest.raises(FileError, match=r"bad/br-tun\.flows:\d+:\d+: there is no table '23'"):
        change(article, tunnel.parent)
    tunnel.unlink()
    with pytest.raises(DvrError, match=r"no br-tun\.flows here"):
        change(article, tunnel.parent)
    with pytest.raises(DvrError, match="no flow files here"):
        change(article, tmp_path / "nowhere")
    assert change(article, LEARN_ONLY) == []
    assert lifecycle.pipelines_of(article.folder) == LEARN_ONLY.resolve()
    assert len(log_lines(article.controller(), "")) == before, "the controller saw nothing of it"


def test_good_flows_follow_those_that_switches_refuse(article: Article, tmp_path: Path) -> None:
    bad = tmp_path / "bad"
    shutil.copytree(flows_dir(), bad, ignore=lambda *_: ["experiments"])
    tunnel = bad / "br-tun.flows"
    text, across = tunnel.read_text(), "output:{remote_port.tunnel}"
    assert across in text
    tunnel.write_text(text.replace(across, f"{across},group:7"))
    with pytest.raises(HostError, match=r"the controller refuses .*bad\. server-\d+/br-tun: "):
        change(article, bad)
    assert len(change(article, ARTICLE)) == 6
    assert_has_just(article, ARTICLE)


def test_saving_a_file_of_the_folder_that_is_in_force(article: Article, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    shutil.copytree(ARTICLE, mine)
    change(article, mine)
    controller, tunnel = article.controller(), mine / "br-tun.flows"
    good = tunnel.read_text()
    tunnel.write_text(good.replace("miss: resubmit(,22)", "miss: resubmit(,99)"))
    wait_until(lambda: bool(log_lines(controller, f"{tunnel}:")), 10, "the bad save is refused")
    assert_has_just(article, ARTICLE)
    synced = len(log_lines(controller, "in sync"))
    tunnel.write_text(good.replace("dl_vlan={network.vlan}", "priority=7,dl_vlan={network.vlan}"))
    wait_until(
        lambda: len(log_lines(controller, "in sync")) >= synced + 6, 10, "the good one applies"
    )
    assert_has_just(article, mine)


def test_a_controller_that_does_not_answer_is_reported(
    article: Article, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(article, flows_dir())
    monkeypatch.setattr(client, "PATIENCE", 1.0)
    controller = article.controller()
    pid = controller.host.service_pid("controller")
    controller.host.run(["kill", f"-{signal.SIGSTOP:d}", str(pid)])
    try:
        with pytest.raises(HostError, match=r"no controller answers at .*: timed out\nIts last"):
            change(article, COUNT_DROPS)
        assert lifecycle.pipelines_of(article.folder) == flows_dir().resolve()
    finally:
        controller.host.run(["kill", f"-{signal.SIGCONT:d}", str(pid)])
