"""Traces of the article's lab say what its packets do, on each of its devices; and its hosts, which
`--live` asks, agree with them, or are named at the step where they depart.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from dvr_ryu.cli.trace import show_trace
from dvr_ryu.lab import tracing
from dvr_ryu.pipeline.run.steps import Step as FlowStep
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.model import EXTERNAL_GATEWAY
from dvr_ryu.trace.hops import ARP, ICMP, TCP, Probe
from dvr_ryu.trace.kernel.outcome import Kind as StepKind
from dvr_ryu.trace.live.comparing import compare
from dvr_ryu.trace.network import Network
from tests.lab.support import captured_ways, verdicts
from tests.lab.support.article import Article, article_lab

PAIRS = [
    ("cirros", "vm-68"),
    ("blue-68", "vm-64"),
    ("vm-68", "outside"),
    ("outside", "cirros"),
    ("vm-64", "2.2.2.100"),
    ("vm-68", "server-233"),
    ("cirros", "10.10.10.77"),
    ("cirros", "lonely-68"),
]


@pytest.fixture(scope="module")
def article(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Article]:
    with article_lab(tmp_path_factory.mktemp("article")) as article:
        yield article


@pytest.fixture(scope="module")
def network(article: Article) -> Network:
    return tracing.network(article.folder)


def test_traces_say_what_real_packets_do(article: Article) -> None:
    found = verdicts.differences(article.lab, load_topology(article.file))
    assert not found, "\n".join(found)


def test_pings_pass_the_devices_that_their_traces_name(article: Article, network: Network) -> None:
    pairs = [
        ("cirros", "vm-68"),  # routed, across hosts
        ("blue-68", "vm-64"),  # switched, across hosts
        ("vm-233", "cirros"),  # routed, on one host
        ("vm-68", "outside"),  # SNAT
        ("cirros", "outside"),  # a floating address
        ("vm-64", "2.2.2.100"),  # from one to another
        ("vm-68", "2.2.2.100"),
        ("outside", "2.2.2.9"),
        ("lonely-233", "lonely-68"),
    ]
    real = captured_ways.real(article.lab, network, pairs)
    for pair, passages in zip(pairs, real, strict=True):
        computed = captured_ways.computed(network, network.trace(*pair))
        assert passages == computed, (pair, passages - computed, computed - passages)


@pytest.mark.parametrize("protocol", [ICMP, TCP, ARP])
def test_a_whole_lab_decides_as_computed(article: Article, network: Network, protocol: str) -> None:
    ask, probe = tracing.asker(article.folder), Probe(protocol, 80 if protocol == TCP else 0)
    pairs = PAIRS if protocol == ICMP else PAIRS[:3]
    found = [network.trace(*pair, probe, reply=True) for pair in pairs]
    traces = [each for trace in found for each in (trace, trace.reply) if each is not None]
    with ThreadPoolExecutor(4) as pool:
        for trace, compared in zip(
            traces, pool.map(lambda each: compare(network, each, ask), traces), strict=True
        ):
            assert compared.departures == (), (trace.sender, trace.receiver)
            assert set(compared.asked) == {hop.host for hop in trace.way()}


def test_a_host_is_asked_for_its_own_part(article: Article) -> None:
    dvr = Path(sys.executable).with_name("dvr")
    command = f"{dvr} trace {article.file} cirros vm-68 --live"
    printed = article.run(("server-233", None), command)
    assert "asked: server-233; all decide as computed" in printed
    assert "only that host itself can say: server-68" in printed


@contextmanager
def left_alone(article: Article) -> Iterator[None]:
    """Neither a companion nor the controller mends anything while the block runs."""
    services = [
        (host, str(pid))
        for host in article.lab.hosts.values()
        for service in ("companion", "controller")
        if (pid := host.service_pid(service))
    ]
    assert len(services) == 4
    for host, number in services:
        host.run(["kill", "-STOP", number])
    try:
        yield
    finally:
        for host, number in services:
            host.run(["kill", "-CONT", number])


ROUTER = "qrouter-28e4ec01-f0a1-4c0e-9c2b-4f8a5d7e6b10"
FAULTS = [
    # what is done by hand, where; a packet; the step that departs, and what it says
    ("server-233", None, "ovs-ofctl -O OpenFlow14 --strict del-flows br-tun"
     " table=20,priority=2,dl_vlan=2,dl_dst={vm_68}",
     ("cirros", "vm-68"), "br-tun", "UCAST_TO_TUN", "takes another flow"),
    ("server-233", None, "ovs-ofctl -O OpenFlow14 mod-flows br-int"
     " table=61,reg6=0x1,dl_dst=fa:16:3e:35:25:42,actions=drop",
     ("cirros", "vm-68"), "br-int", "LOCAL_MAC_DIRECT", "its actions there are drop"),
    ("server-233", None, "ovs-ofctl -O OpenFlow14 add-flow br-int"
     " table=58,priority=7,icmp,actions=drop",
     ("cirros", "vm-68"), "br-int", "PACKET_RATE_LIMIT", "takes another flow: table 58: icmp"),
    ("server-233", ROUTER, "ip rule del pref 57482",
     ("cirros", "outside"), ROUTER, StepKind.ROUTE, "ip -j route get 2.2.2.1"),
    ("server-233", ROUTER, "ip neigh del 10.10.10.4 dev {qr_yellow}",
     ("cirros", "vm-68"), ROUTER, StepKind.NEIGHBOUR, "10.10.10.4"),
    ("server-233", ROUTER, "iptables -t nat -F neutron-l3-agent-float-snat",
     ("cirros", "outside"), ROUTER, StepKind.NETFILTER, "no rule neutron-l3-agent-float-snat"),
    ("server-233", ROUTER, "iptables -A FORWARD -p icmp -j DROP",
     ("cirros", "vm-68"), ROUTER, None, "another rule: FORWARD -p icmp -j DROP"),
    ("server-233", ROUTER, "sysctl -qw net.ipv4.ip_forward=0",
     ("cirros", "vm-68"), ROUTER, StepKind.ROUTE, "net.ipv4.ip_forward is 0"),
    ("server-64", None, "ip route add 172.16.5.0/24 dev {gw}",
     ("cirros", "lonely-68"), "", None, "ip -j route get 172.16.5."),
    ("server-68", "vm-vm-68", "ip link set eth0 mtu 1400",
     ("cirros", "vm-68"), "vm-vm-68", None, "the MTU of eth0 is 1400, not 1500"),
    ("server-68", "vm-vm-68", "ip address flush dev eth0",
     ("cirros", "vm-68"), "vm-vm-68", StepKind.ROUTE, "ip -j route get 10.10.10.4"),
]  # fmt: skip


def test_each_fault_is_named_at_its_step(
    article: Article, network: Network, capfd: pytest.CaptureFixture[str]
) -> None:
    ask, topology = tracing.asker(article.folder), network.topology
    gateways = {each.network: each for each in topology.routers["router1"].interfaces}
    (world,) = (port for port in topology.service_ports if port.owner == EXTERNAL_GATEWAY)
    names = {
        "vm_68": topology.instances["vm-68"].mac,
        "qr_yellow": gateways["yellow"].device,
        "gw": world.device,
    }
    with left_alone(article):
        for host, namespace, command, pair, node, step, text in FAULTS:
            article.run((host, namespace), command.format(**names))
            trace = network.trace(*pair)
            departures = compare(network, trace, ask).departures
            there = [each for each in departures if (each.host, each.node) == (host, node)]
            found = [each for each in there if text in each.text]
            assert found, (command, departures)
            departs = trace.hops[found[0].hop].steps[found[0].step]
            name = departs.name if isinstance(departs, FlowStep) else getattr(departs, "kind", None)
            assert step in (name, None), command
        with pytest.raises(SystemExit) as end:
            show_trace(network, network.trace("cirros", "vm-68"), as_json=False, ask=ask)
    assert end.value.code == 2
    printed = capfd.readouterr().out
    assert "LIVE br-tun takes another flow: table 20" in printed
    assert "reality departs from this at" in printed
