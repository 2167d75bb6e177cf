"""Tunnels of every type, one after the other in one running lab: packets that pass, and packets
that are too long.

The packets are real: transfers with full segments, pings that may not be fragmented, broadcasts on
the underlay.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from pathlib import Path
from socket import inet_ntoa

import pytest

from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.cabling import BRIDGE
from dvr_ryu.lab.hosts.host import environment
from dvr_ryu.lab.proof import proof
from dvr_ryu.lab.services.readiness import Goal
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.source.file import FileSource
from dvr_ryu.topology.loading import load_topology
from tests.lab.edits.test_changes import nothing_to_do
from tests.lab.support.article import captured
from tests.lab.support.companions import pings, run
from tests.lab.support.datapath import OVERSIZE

TOPOLOGY = """\
controller: tcp:10.0.44.9:6653
underlay: {cidr: 10.0.44.0/24, mtu: 9000, tunnel_type: vxlan}
hosts:
  one: {address: 10.0.44.1}
  two: {address: 10.0.44.2}
  three: {address: 10.0.44.3, snat: true}
networks:
  blue: {subnets: [{cidr: 10.1.0.0/24}], dhcp_host: two}
  yellow: {subnets: [{cidr: 10.2.0.0/24}]}
  pair: {subnets: [{cidr: 10.3.0.0/24, dhcp: false}]}
  external: {external: true, subnets: [{cidr: 2.2.2.0/24}], gateway_host: three}
routers:
  r: {interfaces: [{network: blue}, {network: yellow}], external_network: external}
instances:
  a: {host: one, network: blue, ip: 10.1.0.11}
  b: {host: two, network: blue, ip: 10.1.0.12}
  c: {host: three, network: yellow, ip: 10.2.0.13}
  p: {host: one, network: pair, ip: 10.3.0.14}
  q: {host: two, network: pair, ip: 10.3.0.15}
floating_ips:
  2.2.2.101: {instance: a}
"""
OVERLAY_MTUS = {"vxlan": 1450, "geneve": 1450, "gre": 1458}
UNDERLAY_MTU = 1500
A, B, C, P, Q = (
    ("one", "vm-a"), ("two", "vm-b"), ("three", "vm-c"), ("one", "vm-p"), ("two", "vm-q")
)  # fmt: skip
OUTSIDE, WORLD = ("three", None), ("three", "world")
FAR, FAR_MTU = "198.51.100.2", 1300
"""An address behind the external network's gateway, and the MTU of the path to it."""

Endpoint = tuple[str, str | None]


class Site:
    """The lab with one type of tunnel."""

    def __init__(self, folder: StateFolder, file: Path) -> None:
        self.folder, self.file = folder, file
        self.lab = Lab(lifecycle.running(folder).lab_hosts)
        self.tunnel_type = "vxlan"

    @property
    def mtu(self) -> int:
        return OVERLAY_MTUS[self.tunnel_type]

    def change(self, tunnel_type: str) -> None:
        """Save the type, and wait until all hosts use it and all instances reach each other."""
        old, self.tunnel_type = self.tunnel_type, tunnel_type
        text = self.file.read_text()
        self.file.write_text(text.replace(f"_type: {old}", f"_type: {tunnel_type}"))
        snapshot = FileSource(self.file).read()
        topology, pipelines = snapshot.declaration().topology, load_pipelines(flows_dir())
        goal = Goal(topology, snapshot.version, pipelines)
        for name in ("one", "two", "three"):
            host = self.lab[name]
            wait_until(partial(goal.companion_has_applied, host), 30, f"{name}'s companion")
            wait_until(partial(goal.bridges_have_flows, host), 30, f"the flows of {name}")
            assert self._has_just(name)
        for endpoint, to in (
            (A, "10.1.0.12"),
            (B, "10.2.0.13"),
            (C, "10.1.0.11"),
            (P, "10.3.0.15"),
        ):
            wait_until(partial(self.pings, endpoint, to), 30, f"{endpoint} to {to}")

    def _has_just(self, name: str) -> bool:
        ports = run(self.lab[name], "ovs-vsctl list-ports br-tun").split()
        return len(ports) == 3 and all(p.startswith((self.tunnel_type, "patch")) for p in ports)

    def pings(self, endpoint: Endpoint, address: str, *arguments: str) -> bool:
        return pings(self.lab[endpoint[0]], endpoint[1], address, *arguments)

    def ping_at(self, endpoint: Endpoint, address: str, size: int, seconds: str = "2") -> str:
        """Send one packet of so many bytes, not fragmented; return the output of ping."""
        arguments = ["ping", "-M", "do", "-c1", "-W", seconds, "-s", str(size - 28), address]
        done = self.lab[endpoint[0]].run(arguments, namespace=endpoint[1], check=False)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    scratch = tmp_path_factory.mktemp("tunnels")
    file, folder = scratch / "topology.yaml", StateFolder(scratch / "dvr_lab")
    file.write_text(TOPOLOGY)
    try:
        lifecycle.up(file, lambda _: None, folder)
        site = Site(folder, file)
        for arguments in (
            "netns add world",
            f"link add far mtu {FAR_MTU} type veth peer name near mtu {FAR_MTU} netns world",
            "address add 198.51.100.1/24 dev far",
            "link set far up",
            f"-n world address add {FAR}/24 dev near",
            "-n world link set near up",
            "-n world route add default via 198.51.100.1",
        ):
            run(site.lab["three"], f"ip {arguments}")
        yield site
    finally:
        lifecycle.down(folder)


@pytest.fixture(scope="module", params=OVERLAY_MTUS)
def site(request: pytest.FixtureRequest, started: Site) -> Site:
    started.file.write_text(started.file.read_text().replace("mtu: 9000", f"mtu: {UNDERLAY_MTU}"))
    started.change(request.param)
    return started


# Jumbo frames come first: the lab's cables are made for them --------------------------------------


def test_an_underlay_of_9000_bytes_is_used_to_the_last_byte(started: Site) -> None:
    """Across routers, too; and the same again with an MTU of 1500."""
    results = proof.prove(lambda _: None, started.folder)
    assert [result for result in results if not result.passed] == []
    sizes = {result.detail for result in results if result.what == "largest packet"}
    assert sizes == {"answers to 8950 bytes"}
    for address in ("10.2.0.13", "10.0.44.3"):
        assert "1 received" in started.ping_at(A, address, 8950)
    assert "1 received" in started.ping_at(B, "10.0.44.3", 8950)
    assert "1 received" in started.ping_at(OUTSIDE, "2.2.2.101", 8950)
    with matching(started, "ip[2:2]=9000") as whole:
        assert transferred(started, A, C, "10.2.0.13")
        assert transferred(started, B, OUTSIDE, "10.0.44.3")
    assert len(whole) > 100
    assert nothing_to_do(started.folder, started.file) == {}


# Packets that pass --------------------------------------------------------------------------------


def test_all_that_should_be_true_is(site: Site) -> None:
    """The proof also sends packets of the overlay's whole MTU, and watches for gateways' ARP."""
    results = proof.prove(lambda _: None, site.folder)
    assert [result for result in results if not result.passed] == []
    assert nothing_to_do(site.folder, site.file) == {}
    sizes = {result.detail for result in results if result.what == "largest packet"}
    assert sizes == {f"answers to {site.mtu} bytes"}


_TAKE = """
import hashlib, socket, sys
server = socket.create_server(("", 0))
print(server.getsockname()[1], flush=True)
connection, _ = server.accept()
digest = hashlib.sha256()
while data := connection.recv(1 << 16):
    digest.update(data)
print(digest.hexdigest(), flush=True)
"""
_GIVE = """
import hashlib, random, socket, sys
data = random.Random(7).randbytes(4 << 20)
with socket.create_connection((sys.argv[1], int(sys.argv[2])), 10) as connection:
    connection.sendall(data)
print(hashlib.sha256(data).hexdigest())
"""


def transferred(site: Site, source: Endpoint, target: Endpoint, address: str) -> bool:
    """Whether 4 MB arrive unchanged by TCP."""
    taking = site.lab[target[0]].enter([sys.executable, "-c", _TAKE], target[1])
    with subprocess.Popen(taking, stdout=subprocess.PIPE, text=True) as taker:
        try:
            assert taker.stdout
            giving = [sys.executable, "-c", _GIVE, address, taker.stdout.readline().strip()]
            sent = site.lab[source[0]].run(giving, namespace=source[1]).stdout
            return taker.stdout.readline() == sent
        finally:
            taker.kill()


@contextmanager
def matching(site: Site, expression: str) -> Iterator[list[str]]:
    """Collect the packets on the underlay that match a filter of tcpdump, while the block runs."""
    found: list[str] = []
    tcpdump = ["tcpdump", "--immediate-mode", "-lntq", "-Z", "root", "-i", BRIDGE, expression]
    with subprocess.Popen(
        site.lab.underlay_host.enter(tcpdump),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
        text=True,
    ) as process:
        try:
            assert process.stderr
            assert any("listening on" in line for line in process.stderr)
            yield found
        finally:
            process.terminate()
            found += process.communicate()[0].splitlines()


def test_a_transfer_fills_packets_to_the_last_byte_and_none_is_cut(site: Site) -> None:
    full, cut = f"ip[2:2]={UNDERLAY_MTU}", "ip[6:2]&0x3fff!=0"
    with matching(site, cut) as fragments:
        for source, target, address in (
            (A, B, "10.1.0.12"),
            (A, C, "10.2.0.13"),
            (C, B, "10.1.0.12"),
            (A, OUTSIDE, "10.0.44.3"),
            (B, OUTSIDE, "10.0.44.3"),
            (OUTSIDE, A, "2.2.2.101"),
        ):
            with matching(site, full) as whole:
                assert transferred(site, source, target, address), (source, address)
            assert len(whole) > 100, (source, address)
    assert fragments == []


# Packets that are too long ------------------------------------------------------------------------


def test_one_byte_more_is_refused_by_the_sender_itself(site: Site) -> None:
    for address in ("10.1.0.12", "10.2.0.13", "10.0.44.3"):
        assert "1 received" in site.ping_at(A, address, site.mtu)
        refused = site.ping_at(A, address, site.mtu + 1, "0.1")
        assert f"message too long, mtu={site.mtu}" in refused.replace("mtu: ", "mtu=")


@contextmanager
def wide_nic(site: Site, endpoint: Endpoint) -> Iterator[None]:
    """A guest that ignores its MTU; the companion, which would correct that, is suspended."""
    host = site.lab[endpoint[0]]
    pid = host.service_pid("companion")
    run(host, f"kill -{signal.SIGSTOP:d} {pid}")
    try:
        run(host, f"ip link set eth0 mtu {UNDERLAY_MTU}", endpoint[1])
        yield
    finally:
        run(host, f"kill -{signal.SIGCONT:d} {pid}")
    narrow = f"mtu {site.mtu} "
    wait_until(lambda: narrow in run(host, "ip link show eth0", endpoint[1]), 20, "the MTU again")


def test_the_router_reports_too_long_a_packet_to_its_sender(site: Site) -> None:
    """As long as the packet reaches it: Open vSwitch drops those that are longer yet."""
    host, namespace = site.lab["one"], "vm-a"
    run(host, "ip route flush cache", namespace)
    with wide_nic(site, A):
        for address in ("10.2.0.13", "10.0.44.3"):
            output = site.ping_at(A, address, site.mtu + (OVERSIZE or 1), "1")
            if OVERSIZE:
                refused = rf"Frag(mentation)? needed and DF set \(mtu = {site.mtu}\)"
                assert re.search(refused, output)
                assert f"mtu {site.mtu}" in run(host, f"ip route get {address}", namespace)
            else:
                assert "100% packet loss" in output
            assert "1 received" in site.ping_at(A, address, site.mtu)
    run(host, "ip route flush cache", namespace)


@pytest.mark.parametrize("endpoint", [A, B], ids=["floating address", "SNAT"])
def test_a_smaller_path_mtu_in_the_world_is_learned_through_nat(
    started: Site, endpoint: Endpoint
) -> None:
    host, namespace = started.lab[endpoint[0]], endpoint[1]
    run(host, "ip route flush cache", namespace)
    assert "1 received" in started.ping_at(endpoint, FAR, FAR_MTU)
    assert f"(mtu = {FAR_MTU})" in started.ping_at(endpoint, FAR, FAR_MTU + 1)
    assert f"mtu {FAR_MTU}" in run(host, f"ip route get {FAR}", namespace)
    assert transferred(started, endpoint, WORLD, FAR)


# Receivers of broadcasts --------------------------------------------------------------------------


def test_a_broadcast_goes_to_the_hosts_of_its_network_only(site: Site, tmp_path: Path) -> None:
    addresses = {host.address: name for name, host in load_topology(site.file).hosts.items()}
    mark = b"everybody on this network"
    shout = (
        "import socket, sys; s = socket.socket(type=socket.SOCK_DGRAM);"
        "s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1);"
        "s.sendto(sys.argv[1].encode(), (sys.argv[2], 9))"
    )
    for endpoint, broadcast, expected in (
        (P, "10.3.0.255", {"two"}),
        (A, "10.1.0.255", {"two", "three"}),  # three has a port of the router
    ):
        with captured(site.lab.underlay_host, BRIDGE, None, tmp_path / endpoint[1]) as packets:
            command = [sys.executable, "-c", shout, mark.decode(), broadcast]
            site.lab[endpoint[0]].run(command, namespace=endpoint[1])
            # Earlier packets have passed once these pings are answered.
            for (address, _), (_, name) in pairwise([*addresses.items()] * 2):
                assert site.pings((name, None), address)
        frames = [packet.original for packet in packets if mark in packet.original]
        receivers = [addresses[inet_ntoa(frame[30:34])] for frame in frames]
        assert sorted(receivers) == sorted(expected), endpoint
