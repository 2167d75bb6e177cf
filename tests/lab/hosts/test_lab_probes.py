"""Probes find both what exists and what is missing, on hosts without instances."""

from __future__ import annotations

import struct
import sys
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from attrs import evolve

from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.proof import probes, proof
from dvr_ryu.lab.proof.connections import Connects, NoConnection, Server
from dvr_ryu.lab.proof.probes import Endpoint, Failed, GatewayAnswers, Leased, NoPing, Ping
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.topology import Topology
from tests.lab.support.datapath import DEVICE
from tests.lab.support.pinging import counted

CONTROLLER = Endpoint("controller")
ABSENT = "10.0.44.99"


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the probes' patience: no test has to wait long for something that never comes."""
    monkeypatch.setattr(probes, "PATIENCE", 1)


def test_ping(lab: Lab) -> None:
    assert Ping(CONTROLLER, "10.0.44.68")(lab) == "answers"
    assert Ping(CONTROLLER, "10.0.44.68", 1550)(lab) == "answers to 1550 bytes"
    with pytest.raises(Failed, match="message too long"):
        Ping(CONTROLLER, "10.0.44.68", 1551)(lab)
    with pytest.raises(Failed, match=r"no answer|Unreachable"):
        Ping(CONTROLLER, ABSENT)(lab)
    with pytest.raises(Failed, match="unreachable"):
        Ping(CONTROLLER, "192.0.2.1")(lab)


def test_pings_are_counted_up_to_the_end(lab: Lab) -> None:
    """Packets right before the end of the block are found, too."""
    host = lab["controller"]
    with counted(host, None, "10.0.44.68") as pings:
        host.run(["sleep", "0.3"])
    assert pings.lost == [] and pings.sent > 10
    drop = "iptables {} INPUT -p icmp --icmp-type echo-reply -j DROP"
    try:
        with counted(host, None, "10.0.44.68") as pings:
            host.run(["sleep", "0.3"])
            host.run(drop.format("-A").split())
    finally:
        host.run(drop.format("-D").split())
    assert pings.longest_gap > 100 and min(pings.lost) > 10


def test_no_ping(lab: Lab) -> None:
    assert NoPing(CONTROLLER, ABSENT)(lab) == "does not answer"
    assert NoPing(CONTROLLER, "192.0.2.1")(lab) == "does not answer"
    with pytest.raises(Failed, match="may not be reached"):
        NoPing(CONTROLLER, "10.0.44.68")(lab)
    with pytest.raises(Failed):  # there is no such namespace, so nothing was tried
        NoPing(Endpoint("controller", "vm-none"), "10.0.44.68")(lab)


def test_gateway_answers(lab: Lab) -> None:
    mac = "02:00:0a:00:2c:44"
    assert GatewayAnswers(CONTROLLER, "10.0.44.68", mac)(lab) == f"is at {mac}"
    with pytest.raises(Failed, match=f"is at {mac}, not at fa:.* alone"):
        GatewayAnswers(CONTROLLER, "10.0.44.68", "fa:16:3e:35:25:42")(lab)
    with pytest.raises(Failed, match="0 answers"):
        GatewayAnswers(CONTROLLER, ABSENT, mac)(lab)
    second = f"address {{}} 10.0.44.68/32 dev {DEVICE}"
    lab["server-233"].run(["ip", *second.format("add").split()])
    try:
        with pytest.raises(Failed, match=f"is at .*{mac}.*, not at {mac} alone"):
            GatewayAnswers(CONTROLLER, "10.0.44.68", mac)(lab)
    finally:
        lab["server-233"].run(["ip", *second.format("del").split()])


def test_seen_as(lab: Lab) -> None:
    endpoint, server = Endpoint("server-233"), Server(CONTROLLER, "10.0.44.1")
    connects = Connects(endpoint, "10.0.44.1", server, source="10.0.44.233")
    assert connects(lab) == "seen as 10.0.44.233"
    with pytest.raises(Failed, match=r"seen as 10\.0\.44\.233, not 2\.2\.2\.100"):
        evolve(connects, source="2.2.2.100")(lab)
    with pytest.raises(Failed, match="cannot listen"):
        evolve(connects, server=Server(CONTROLLER, ABSENT))(lab)


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_connections(lab: Lab, protocol: str) -> None:
    endpoint, server = Endpoint("server-233"), Server(CONTROLLER, "10.0.44.1", protocol, 8080)
    connects = Connects(endpoint, "10.0.44.1", server, 8080, protocol=protocol)
    assert connects(lab) == "answered by 10.0.44.1:8080"
    assert evolve(connects, source="10.0.44.233")(lab) == "seen as 10.0.44.233"
    with pytest.raises(Failed, match=r"refused|no answer"):
        evolve(connects, port=8081)(lab)
    with pytest.raises(Failed, match="may not be reached"):
        NoConnection(endpoint, "10.0.44.1", protocol, 8080, server)(lab)
    assert NoConnection(endpoint, "10.0.44.1", protocol, 8081, None)(lab) == "does not answer"


def test_leased(lab: Lab) -> None:
    host, file = lab["server-233"], "/run/leases"
    for arguments in (
        "netns add vm-i",
        "-n vm-i link add eth0 type bridge",
        "-n vm-i link set eth0 up",
        "-n vm-i address add 10.1.0.5/24 dev eth0",
    ):
        host.run(["ip", *arguments.split()])
    endpoint = Endpoint("server-233", "vm-i")
    leased = Leased(endpoint, "10.1.0.5/24", "10.1.0.1", "server-233", file)
    with pytest.raises(Failed, match=r"has 10\.1\.0\.5/24, not 10\.1\.0\.6/24"):
        evolve(leased, address="10.1.0.6/24")(lab)
    with pytest.raises(Failed, match=r"default via nothing, not 10\.1\.0\.1"):
        leased(lab)
    host.run(["ip", "-n", "vm-i", "route", "add", "default", "via", "10.1.0.1"])
    with pytest.raises(Failed, match=r"server-233 has given no lease of 10\.1\.0\.5"):
        leased(lab)
    host.path(file).write_text("1790000000 fa:16:3e:00:00:01 10.1.0.5 i *\n")
    assert leased(lab) == "has 10.1.0.5/24"


ROUTED = """
controller: tcp:10.0.44.1:6653
hosts: {server-233: {address: 10.0.44.233}, server-68: {address: 10.0.44.68}}
networks: {blue: {vni: 25, subnets: [{cidr: 192.168.10.0/24}]}}
routers: {one: {interfaces: [{network: blue}]}}
"""


@pytest.fixture(scope="module")
def routed() -> Topology:
    return parse_topology(ROUTED, "routed.yaml")


TUNNELS = {
    "vxlan": ("SOCK_DGRAM", 0, 4789, lambda vni: struct.pack("!II", 0x08000000, vni << 8)),
    "geneve": ("SOCK_DGRAM", 0, 6081, lambda vni: struct.pack("!II", 0x6558, vni << 8)),
    "gre": ("SOCK_RAW", 47, 0, lambda vni: struct.pack("!II", 0x20006558, vni)),
}
"""Type of tunnel → kind of socket, protocol and port, and header."""


@pytest.mark.parametrize("tunnel_type", TUNNELS)
@pytest.mark.parametrize(
    "vni, operation, sender, target, seen",
    [
        (25, 1, "192.168.10.7", "192.168.10.1", True),
        (25, 2, "192.168.10.1", "192.168.10.7", True),
        (25, 1, "192.168.10.1", "192.168.10.7", False),
        (25, 2, "192.168.10.7", "192.168.10.1", False),
        (25, 1, "192.168.10.7", "192.168.10.8", False),
        (26, 1, "192.168.10.7", "192.168.10.1", False),
    ],
    ids=[
        "asks for the gateway",
        "is the gateway's answer",
        "is the gateway's question",
        "answers the gateway",
        "is about others",
        "is of another network",
    ],
)
def test_gateway_arp_on_the_underlay(
    lab: Lab,
    routed: Topology,
    tunnel_type: str,
    vni: int,
    operation: int,
    sender: str,
    target: str,
    seen: bool,
) -> None:
    """Send a frame in a tunnel packet while the underlay is watched."""
    kind, protocol, port, header = TUNNELS[tunnel_type]
    ether = bytes(6 * [255]) + bytes(6) + b"\x08\x06"
    ends = _bytes(sender), _bytes(target)
    asked = struct.pack("!HHBBH6x4s6x4s", 1, 0x800, 6, 4, operation, *ends)
    frame = header(vni) + ether + asked
    send = (
        f"import socket, sys; socket.socket(type=socket.{kind}, proto={protocol})"
        f".sendto(bytes.fromhex(sys.argv[1]), ('10.0.44.68', {port}))"
    )
    topology = evolve(routed, underlay=evolve(routed.underlay, tunnel_type=tunnel_type))
    # The frame has crossed once a later packet has its answer.
    with proof.watched_underlay(lab, topology) as crossed:
        lab["server-233"].run([sys.executable, "-c", send, frame.hex()])
        Ping(Endpoint("server-233"), "10.0.44.68")(lab)
    assert bool(crossed) == seen


def _bytes(address: str) -> bytes:
    return IPv4Address(address).packed


def test_all_checks_of_a_lab_that_lacks_everything_fail(lab: Lab) -> None:
    """Bridges and instances are missing, so every check must fail."""
    instances = (
        "instances: {i: {host: server-233, network: blue}, j: {host: server-68, network: blue}}"
    )
    topology = parse_topology(ROUTED + instances, "routed.yaml")
    steps: list[str] = []
    results = proof.try_all(lab, topology, steps.append)
    assert [result.what for result in results if result.passed] == ["no gateway ARP"]
    assert len(results) > 4 and len(steps) == 2
    assert proof.exit_code(results) == 2


def test_leases_of_a_lab_stay_in_its_hosts() -> None:
    assert not Path("/run/leases").exists()
