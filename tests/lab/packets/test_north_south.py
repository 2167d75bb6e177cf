"""The north-south paths of several routers, over two external networks on three hosts: distributed
and central floating IPs, forwarded ports, SNAT; and edits that move each of them while packets
pass.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

import pytest
from attrs import evolve, frozen
from scapy.layers.inet import IP

from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.host import LabHost, environment
from dvr_ryu.lab.proof import proof
from dvr_ryu.lab.proof.connections import Connects, Server
from dvr_ryu.lab.proof.expected import expected_checks
from dvr_ryu.lab.proof.probes import Endpoint, Failed
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.expectation import Expectation, Service
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.topology import Topology
from tests.lab.support import verdicts
from tests.lab.support.article import captured
from tests.lab.support.companions import await_state, pings, seen_as

EXAMPLE = examples_dir() / "north-south.yaml"
MOVING = "  2.2.2.101: {network: x, instance: a}\n"
WORLD = "h3"
PYTHON = (sys.executable, "-c")
Where: TypeAlias = "tuple[LabHost, str | None]"


@frozen
class North:
    """The lab that is up, and its file."""

    file: Path
    lab: Lab

    def topology(self) -> Topology:
        return load_topology(self.file)

    def where(self, instance: str) -> Where:
        """The host and the namespace of an instance; a host has its own namespace."""
        if instance in self.lab.hosts:
            return self.lab[instance], None
        return self.lab[self.topology().instances[instance].host], f"vm-{instance}"

    def edit(self, old: str, new: str) -> None:
        text = self.file.read_text()
        assert text.count(old) == 1
        self.write(text.replace(old, new))

    def write(self, text: str) -> None:
        """Save the file, and wait until every host has applied it."""
        fresh = self.file.with_suffix(".fresh")
        fresh.write_text(text)
        fresh.replace(self.file)
        digest = sha256(text.encode()).hexdigest()
        for name in self.topology().hosts:
            await_state(
                self.lab[name],
                lambda state: (state["state"], state["topology"]) == ("applied", digest),
            )

    def seen(self, client: str, server: str, address: str) -> str:
        """The source address that `server` sees when `client` connects to an address of it."""
        return seen_as(self.where(client), self.where(server), address)

    def asked(self, instance: str) -> int:
        """The number of pings that an instance has received."""
        host, namespace = self.where(instance)
        lines = host.run(["cat", "/proc/net/snmp"], namespace=namespace).stdout.splitlines()
        names, numbers = (line.split() for line in lines if line.startswith("Icmp:"))
        return int(dict(zip(names, numbers, strict=True))["InEchos"])

    def namespaces(self, host: str) -> list[str]:
        return [line.split()[0] for line in self.lab[host].run(["ip", "netns"]).stdout.splitlines()]


@pytest.fixture(scope="module")
def north(tmp_path_factory: pytest.TempPathFactory) -> Iterator[North]:
    scratch = tmp_path_factory.mktemp("north")
    file = scratch / "topology.yaml"
    shutil.copy(EXAMPLE, file)
    folder = StateFolder(scratch / "dvr_lab")
    try:
        lifecycle.up(file, lambda _: None, folder)
        yield North(file, Lab(lifecycle.running(folder).lab_hosts))
    finally:
        lifecycle.down(folder)


def test_all_that_follows_from_the_file(north):
    results = proof.try_all(north.lab, north.topology(), lambda _: None)
    assert not [result for result in results if not result.passed]
    kinds = {result.what for result in results}
    assert {"floating IP, inbound", "floating IP, outbound", "forwarded port", "SNAT"} <= kinds
    expected = [result for result in results if result.what == "expected"]
    assert len(expected) == len(north.topology().expected) > 5


@pytest.mark.parametrize(
    "line, finding",
    [
        (Expectation("a", "b", reach=False), "answers, but may not be reached"),
        (Expectation("g", "r"), "nreachable|no answer"),
        (Expectation("d", "outside", seen_as="2.2.2.12"), "seen as 2.2.2.11, not 2.2.2.12"),
        (Expectation("outside", "2.2.2.120", Service("tcp", 81)), "refused|timed out"),
        (Expectation("outside", "2.2.2.120", Service("tcp", 80), False), "may not be reached"),
    ],
    ids=str,
)
def test_a_wrong_expectation_is_found(north, line, finding):
    (check,) = expected_checks(evolve(north.topology(), expected=(line,)))
    with pytest.raises(Failed, match=finding):
        check.probe(north.lab)


def test_traces_say_what_real_packets_do(north):
    found = verdicts.differences(north.lab, north.topology())
    assert not found, "\n".join(found)


# Source addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "client, server, address, seen",
    [
        ("a", "b", "2.2.2.102", "2.2.2.101"),  # across hosts
        ("a", "r", "2.2.2.103", "2.2.2.101"),  # two routers on one host
        ("r", "a", "2.2.2.101", "2.2.2.103"),
        ("d", "a", "2.2.2.101", "2.2.2.11"),  # by SNAT, and in again
        ("a", "g", "3.3.3.101", "2.2.2.101"),  # over both external networks
        ("g", "a", "2.2.2.101", "3.3.3.101"),
        ("a", "c", "2.2.2.110", "2.2.2.11"),  # to a central address, and from one
        ("r", "c", "2.2.2.110", "2.2.2.103"),
        ("c", "b", "2.2.2.102", "2.2.2.110"),
        ("d", "c", "2.2.2.110", "2.2.2.11"),  # in by the same router
        ("c", "c", "2.2.2.110", "2.2.2.110"),
    ],
)
def test_everybody_is_seen_by_his_own_outer_address(north, client, server, address, seen):
    assert north.seen(client, server, address) == seen


def test_an_extra_route_leads_across_the_external_network(north):
    """By the fip namespace, by the SNAT host, and from a central address; no other host knows s."""
    s = north.topology().instances["s"].ip
    for client, seen in (("a", "2.2.2.101"), ("d", "2.2.2.11"), ("c", "2.2.2.110")):
        assert north.seen(client, "s", s) == seen
    assert not pings(*north.where("g"), s)


def test_routers_of_one_external_network_share_its_namespace(north):
    networks = north.topology().networks
    found = {name for name in north.namespaces("h1") if name.startswith("fip-")}
    assert found == {f"fip-{networks['x'].id}", f"fip-{networks['y'].id}"}


@pytest.mark.parametrize("asking", ["a2", "d", "b", "r"])
def test_forwarded_ports_answer_from_within(north, asking):
    """From the instance itself, from its neighbours, and from instances with floating IPs."""
    topology = north.topology()
    client, d = (Endpoint(topology.instances[name].host, f"vm-{name}") for name in (asking, "d"))
    fixed_ip = topology.instances["d"].ip
    Connects(client, "2.2.2.120", Server(d, fixed_ip, "tcp", 8080), 80)(north.lab)


def test_a_floating_address_of_a_virtual_one_leads_to_its_announcer(north):
    for instance in "efe":
        host, namespace = north.where(instance)
        address = ["10.1.0.100/24", "dev", "eth0"]
        announce = ["arping", "-U", "-c", "1", "-w", "1", "-I", "eth0", "10.1.0.100"]
        host.run(["ip", "addr", "add", *address], namespace=namespace)
        try:
            host.run(announce, namespace=namespace, check=False)
            before = north.asked(instance)
            wait_until(lambda: pings(*north.where(WORLD), "2.2.2.140"), 20, "2.2.2.140")
            assert north.asked(instance) > before
        finally:
            host.run(["ip", "addr", "del", *address], namespace=namespace)


# Moves --------------------------------------------------------------------------------------------


@contextmanager
def pinging(north: North, address: str) -> Iterator[None]:
    """Ping from outside while the block runs: for conntrack, this is one connection."""
    host, namespace = north.where(WORLD)
    command = ["ping", "-q", "-i", "0.05", address]
    with subprocess.Popen(
        host.enter(command, namespace), env=environment(), stdout=subprocess.DEVNULL
    ) as ping:
        try:
            yield
        finally:
            ping.kill()


def await_pings(north: North, instance: str, more: int) -> None:
    before = north.asked(instance)
    wait_until(lambda: north.asked(instance) >= before + more, 20, f"{more} pings of {instance}")


def await_gone(north: North, host: str, namespace: str) -> None:
    wait_until(lambda: namespace not in north.namespaces(host), 20, f"{host} without {namespace}")


@pytest.fixture
def as_it_was(north: North) -> Iterator[None]:
    """Restore the file after a test has edited it."""
    before = north.file.read_text()
    yield
    north.write(before)
    wait_until(lambda: pings(*north.where(WORLD), "2.2.2.101"), 20, "2.2.2.101 again")
    wait_until(lambda: pings(*north.where("d"), "10.0.44.13"), 20, "SNAT again")


@pytest.mark.usefixtures("as_it_was")
def test_a_floating_address_that_moves_answers_from_its_new_host(north):
    moves = [
        ("e", ""),  # on the same host
        ("f", ""),  # to another host
        ("s", ""),  # behind another router
        ("a", ", central: true"),  # to the SNAT host of its router
        ("a", ""),
    ]
    line, last = MOVING, "a"
    with pinging(north, "2.2.2.101"):
        await_pings(north, "a", 5)
        for instance, how in moves:
            moved = f"  2.2.2.101: {{network: x, instance: {instance}{how}}}\n"
            north.edit(line, moved)
            await_pings(north, instance, 5)
            asked = north.asked(last)
            await_pings(north, instance, 20)
            assert instance == last or north.asked(last) == asked
            assert north.seen(instance, WORLD, "10.0.44.13") == "2.2.2.101"
            line, last = moved, instance


_ECHO = """
import socket
server = socket.create_server(("", 7777))
print("ready", flush=True)
connection, _ = server.accept()
while data := connection.recv(99):
    connection.sendall(data)
"""
_TALK = """
import socket, sys, time
with socket.create_connection((sys.argv[1], 7777), 5) as sock:
    sock.settimeout(8)
    end = time.monotonic() + 30
    try:
        while time.monotonic() < end:
            sock.sendall(b"still there?")
            assert sock.recv(99)
            print("goes on", flush=True)
            time.sleep(0.05)
    except OSError as error:
        print(type(error).__name__, flush=True)
"""


@contextmanager
def talking(north: North, client: str, server: str, address: str) -> Iterator[list[str]]:
    """A TCP connection that is in use when the block begins; the list says how it ended."""
    end: list[str] = []
    (serving, inner), (asking, outer) = north.where(server), north.where(client)
    with serving.running([*PYTHON, _ECHO], inner) as echo:
        assert echo.stdout and echo.stdout.readline() == "ready\n"
        with asking.running([*PYTHON, _TALK, address], outer) as talk:
            assert talk.stdout and talk.stdout.readline() == "goes on\n"
            yield end
            end += [line for line in talk.stdout.read().split("\n") if line and line != "goes on"]


@pytest.mark.usefixtures("as_it_was")
@pytest.mark.parametrize("how", ["", ", central: true"], ids=["distributed", "central"])
def test_a_connection_ends_with_the_binding_that_it_came_by(north, how):
    line = f"  2.2.2.101: {{network: x, instance: a{how}}}\n"
    if how:
        north.edit(MOVING, line)
    with talking(north, WORLD, "a", "2.2.2.101") as end:
        north.edit(line, line.replace("instance: a", "instance: e"))
    assert end == ["ConnectionResetError"]


@pytest.mark.usefixtures("as_it_was")
def test_a_connection_ends_with_the_binding_that_it_left_by(north, tmp_path):
    """It must not continue by SNAT: outside, neither it nor an address of ours is known."""
    gateway = next(
        port.device
        for port in north.topology().service_ports
        if port.device.startswith("gw-") and port.network == "x"
    )
    file = tmp_path / "x.pcap"
    with (
        captured(north.lab[WORLD], gateway, None, file) as packets,
        talking(north, "a", WORLD, "10.0.44.13") as end,
    ):
        north.edit(MOVING, "")
    sources = {packet[IP].src for packet in packets if IP in packet}
    assert "2.2.2.101" in sources
    assert not {source for source in sources if source.startswith("10.1.")}
    assert end == ["TimeoutError"]
    assert north.seen("a", WORLD, "10.0.44.13") == "2.2.2.11"


@pytest.mark.usefixtures("as_it_was")
def test_a_restarted_companion_forgets_connections_that_a_killed_one_did_not(north):
    """The new rules are in place, as if the companion had been killed right after them."""
    topology, host = north.topology(), north.lab["h1"]
    old, new = (topology.instances[name].ip for name in ("a", "e"))
    sed = f"iptables-save -t nat | sed s/{old}/{new}/ | iptables-restore"
    with pinging(north, "2.2.2.101"):
        await_pings(north, "a", 5)
        host.run(["kill", "-STOP", str(host.service_pid("companion"))])
        host.run(["sh", "-c", sed], namespace=topology.routers["r1"].namespace)
        north.file.write_text(north.file.read_text().replace("instance: a}", "instance: e}"))
        await_pings(north, "a", 5)
        host.run(["kill", "-KILL", str(host.service_pid("companion"))])
        await_pings(north, "e", 5)


@pytest.mark.usefixtures("as_it_was")
def test_snat_moves_to_another_host(north):
    snat = north.topology().routers["r1"].snat_namespace
    assert snat in north.namespaces("h2")
    with pinging(north, "2.2.2.110"):
        await_pings(north, "c", 5)
        for old, new in (("h2", "h3"), ("h3", "h2")):
            north.edit(f"snat_host: {old}", f"snat_host: {new}")
            await_gone(north, old, snat)
            await_pings(north, "c", 5)
            for instance, seen in (("d", "2.2.2.11"), ("c", "2.2.2.110"), ("a", "2.2.2.101")):
                assert north.seen(instance, WORLD, "10.0.44.13") == seen
            assert snat in north.namespaces(new)
