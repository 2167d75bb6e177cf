"""The article's lab with its controller: its flows, its packets on the underlay, and edits."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Template

import pytest
from click.testing import CliRunner
from scapy.layers.inet import ICMP
from scapy.layers.l2 import ARP

from dvr_ryu.cli import cli
from dvr_ryu.lab.hosts.cabling import BRIDGE
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.model import DHCP, instance_namespace
from tests.lab.support import pages
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


@pytest.fixture(scope="module")
def article(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Article]:
    with article_lab(tmp_path_factory.mktemp("article")) as article:
        yield article


def flows(host: LabHost, bridge: str = "br-tun") -> dict[str, tuple[float, int]]:
    """Each flow in the article's notation (OpenFlow 1.0), with its age and packet count."""
    printed = host.run(["ovs-ofctl", "dump-flows", bridge]).stdout
    pattern = re.compile(
        r"duration=([\d.]+)s, (table=\d+), n_packets=(\d+), .*?(priority=.*)$", re.MULTILINE
    )
    return {
        f"{table},{rest}": (float(age), int(packets))
        for age, table, packets, rest in pattern.findall(printed)
    }


def test_the_page_of_the_steps_shows_real_output(article: Article) -> None:
    """Each command of docs/article.rst is typed; its output has each line that the page shows."""
    page, names = "article.rst", pages.variables("article.rst")
    shown = [*pages.steps(page), *pages.typed(page)]
    assert len(shown) >= 20
    for each in shown:
        output = without_ids(typed_in_lab(article, Template(each.command).substitute(names)))
        for line in each.lines:
            assert without_ids(line.partition(" time=")[0]) in output, (each.command, output)


def typed_in_lab(article: Article, command: str) -> str:
    """The output of a command of a page: `dvr lab exec`, in this lab, or another command of dvr."""
    argv = shlex.split(command)
    if argv[:3] != ["dvr", "lab", "exec"]:
        assert argv.pop(0) == "dvr"
        return CliRunner().invoke(cli, argv, catch_exceptions=False).output
    name, argv = argv[3], argv[5:]
    instances = load_topology(article.file).instances
    host = instances[name].host if name in instances else name
    namespace = instance_namespace(name) if name in instances else None
    return article.lab[host].run(argv, namespace=namespace).stdout


def without_ids(text: str) -> str:
    """The text in single spaces, without the parts that differ between labs."""
    return " ".join(re.sub(r"\(id: \d+\)|cookie=\w+, ", "", text).split())


def test_server_233_has_the_articles_flows(article: Article) -> None:
    present = flows(article.lab["server-233"])
    for line in (
        "table=0,priority=1,in_port=1 actions=resubmit(,1)",
        "table=1,priority=1,dl_vlan=2,dl_src=fa:16:3e:de:07:79 "
        "actions=mod_dl_src:fa:16:3f:02:d7:f2,resubmit(,2)",
        "table=2,priority=0,dl_dst=00:00:00:00:00:00/01:00:00:00:00:00 actions=resubmit(,20)",
        "table=2,priority=0,dl_dst=01:00:00:00:00:00/01:00:00:00:00:00 actions=resubmit(,22)",
        "table=22,priority=1,dl_vlan=2 "
        "actions=strip_vlan,load:0x1a->NXM_NX_TUN_ID[],output:2,output:3",
    ):
        assert line in present


def test_server_68_has_the_articles_flows(article: Article) -> None:
    present = flows(article.lab["server-68"])
    for line in (
        "table=0,priority=1,in_port=3 actions=resubmit(,4)",
        "table=4,priority=1,tun_id=0x1a actions=mod_vlan_vid:2,resubmit(,9)",
        "table=9,priority=1,dl_src=fa:16:3f:02:d7:f2 actions=output:1",
    ):
        assert line in present


def test_packets_on_the_underlay_while_cirros_pings_its_peer(
    article: Article, tmp_path: Path
) -> None:
    underlay_host = article.lab.underlay_host
    peer_mac = load_topology(article.file).instances["vm-68"].mac
    with (
        captured(underlay_host, BRIDGE, None, tmp_path / "wire") as crossed,
        captured(article.lab["server-68"], "eth0", PEER[1], tmp_path / "peer") as arrived,
    ):
        article.run(CIRROS, "ping -c 5 -i 0.1 10.10.10.4")
    requests = {
        (vni, frame.src, frame.dst)
        for vni, frame in tunnelled(crossed)
        if frame.type == 0x0800 and frame.payload.dst == "10.10.10.4"
    }
    assert requests == {(0x1A, "fa:16:3f:02:d7:f2", peer_mac)}
    replies = {
        (vni, frame.src, frame.dst)
        for vni, frame in tunnelled(crossed)
        if frame.type == 0x0800 and frame.payload.src == "10.10.10.4"
    }
    assert replies == {(0x19, "fa:16:3f:08:c7:a5", "fa:16:3e:ff:aa:66")}
    seen = {frame.src for frame in arrived if frame.type == 0x0800 and frame.dst == peer_mac}
    assert seen == {"fa:16:3e:de:07:79"}


def test_no_arp_for_a_gateway_crosses_the_underlay(article: Article, tmp_path: Path) -> None:
    asking = {
        CIRROS: "192.168.10.1",
        ("server-68", "vm-blue-68"): "192.168.10.1",
        ("server-64", "vm-vm-64"): "192.168.10.1",
        PEER: "10.10.10.1",
    }
    with captured(article.lab.underlay_host, BRIDGE, None, tmp_path / "wire") as crossed:
        for endpoint, gateway in asking.items():
            article.run(endpoint, "ip neigh flush dev eth0")
            article.run(endpoint, f"arping -c 2 -w 2 -I eth0 {gateway}")
            article.run(endpoint, f"arping -U -c 1 -w 1 -I eth0 {gateway}", check=False)
            article.run(endpoint, f"ping -c 1 -W 1 {gateway}")
        article.run(CIRROS, "arping -c 1 -w 1 -I eth0 192.168.10.77", check=False)
    asked = {(frame[ARP].psrc, frame[ARP].pdst) for _, frame in tunnelled(crossed) if ARP in frame}
    assert ("192.168.10.222", "192.168.10.77") in asked, "a stranger is asked for on the wire"
    gateways = {"192.168.10.1", "10.10.10.1"}
    assert not [pair for pair in asked if gateways & set(pair)]


def test_a_unicast_packet_reaches_only_its_receiver(article: Article, tmp_path: Path) -> None:
    """No instance broadcasts: across hosts, to the gateway, from it, and on one host."""
    host = article.lab["server-233"]
    topology = load_topology(article.file)
    (dhcp,) = (each for each in topology.ports if each.name == "blue" and each.owner == DHCP)
    listener = ("server-233", f"qdhcp-{topology.networks['blue'].id}")
    gateway = "192.168.10.1"
    (blue_68,) = (each.ip for each in topology.ports if each.name == "blue-68")
    pings = [
        (CIRROS, blue_68),
        (CIRROS, "10.10.10.4"),
        (CIRROS, gateway),
        (("server-233", "vm-vm-233"), "192.168.10.222"),
    ]
    host.run(["ovs-appctl", "fdb/flush", "br-int"])
    for endpoint, address in pings:
        article.run(endpoint, f"ping -n -c1 -W2 {address}")
    with captured(host, dhcp.device, listener[1], tmp_path / "heard") as heard:
        for endpoint, address in pings:
            article.run(endpoint, f"ping -n -c3 -i0.1 -W2 {address}")
        article.run(listener, f"ping -n -c3 -i0.1 -W2 {gateway}")
    own = [packet for packet in heard if ICMP in packet and dhcp.mac in (packet.src, packet.dst)]
    assert len(own) == 6
    assert [packet for packet in heard if ICMP in packet and packet not in own] == []


def test_killing_the_controller_loses_nothing(article: Article) -> None:
    host = article.lab["server-233"]
    controller = article.controller()
    with (
        pinging(article, CIRROS, "10.10.10.4"),
        pinging(article, PEER, "192.168.10.222"),
        pinging(article, ("server-64", None), "2.2.2.100"),
    ):
        before = flows(host)
        connected = log_lines(controller, "in sync")
        pid = controller.host.service_pid("controller")
        controller.host.run(["kill", "-9", str(pid)])
        wait_until(
            lambda: len(log_lines(controller, "in sync")) >= len(connected) + 6,
            20,
            "six bridges in sync",
        )
        after = flows(host)
    assert all("nothing to change" in line for line in log_lines(controller, "in sync")[-6:])
    assert after.keys() == before.keys()
    for flow, (age, packets) in before.items():
        assert after[flow] >= (age, packets) and after[flow][1] >= packets, flow


def edit(article: Article, change: Callable[[str], str]) -> None:
    text = article.file.read_text()
    changed = change(text)
    assert changed != text
    article.file.write_text(changed)


def test_a_new_instance_gets_an_address_and_talks(article: Article) -> None:
    """An instance is added to the running lab with a floating IP, then removed again."""
    original = article.file.read_text()
    with pinging(article, CIRROS, "10.10.10.4"):
        edit(
            article,
            lambda text: (
                text.replace(
                    "instances:\n", "instances:\n  newcomer: {host: server-68, network: blue}\n"
                )
                + "  2.2.2.77: {instance: newcomer}\n"
            ),
        )
        endpoint = ("server-68", "vm-newcomer")

        def reaches(target: str) -> bool:
            command = ["ping", "-c1", "-W1", target]
            return (
                not article.lab[endpoint[0]]
                .run(command, namespace=endpoint[1], check=False)
                .returncode
            )

        wait_until(lambda: reaches("192.168.10.222"), 15, "the newcomer reaches its network")
        wait_until(lambda: reaches("10.10.10.4"), 5, "the newcomer reaches beyond its router")
        article.run(("server-64", None), "ping -c1 -W2 2.2.2.77")
    article.file.write_text(original)
    host = article.lab["server-68"]
    wait_until(
        lambda: not host.path("/run/netns/vm-newcomer").exists(), 15, "the newcomer is gone again"
    )
