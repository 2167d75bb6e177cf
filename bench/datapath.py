"""Measures packets between instances of a lab: round trips and TCP, on this machine's datapath.

The peer is the underlay itself: the same between the two lab hosts, which veth devices and a Linux
bridge join. So a ratio tells what bridges, tunnels and routers add. `dvr_ryu` sends no packet: its
flows and resources are on the packets' way.
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from attrs import frozen

from bench.figures import Figure
from dvr_ryu.companion.providers.netlink.datapath import datapath_type
from dvr_ryu.lab import lifecycle
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.topology.model import instance_namespace

ROUNDS, PINGS, MEGABYTES = 3, 200, 64
TOPOLOGY = """\
controller: tcp:10.0.44.1:6653
underlay: {cidr: 10.0.44.0/24, mtu: 1550}
hosts: {h1: {address: 10.0.44.11}, h2: {address: 10.0.44.12}}
networks:
  red: {subnets: [{cidr: 10.1.0.0/24, dhcp: false}]}
  green: {subnets: [{cidr: 10.2.0.0/24, dhcp: false}]}
routers: {r: {interfaces: [{network: red}, {network: green}]}}
instances:
  a: {host: h1, network: red, ip: 10.1.0.11}
  near: {host: h1, network: red, ip: 10.1.0.12}
  far: {host: h2, network: red, ip: 10.1.0.13}
  routed: {host: h2, network: green, ip: 10.2.0.14}
"""
_RECEIVE = """
import socket, sys
listener = socket.create_server((sys.argv[1], 0))
print(listener.getsockname()[1], flush=True)
connection, _ = listener.accept()
while connection.recv(1 << 20):
    pass
connection.sendall(b"!")
"""
_SEND = """
import socket, sys, time
address, port, megabytes = sys.argv[1:]
with socket.create_connection((address, int(port))) as connection:
    began, chunk = time.monotonic(), bytes(1 << 20)
    for _ in range(int(megabytes)):
        connection.sendall(chunk)
    connection.shutdown(socket.SHUT_WR)
    connection.recv(1)
    print(time.monotonic() - began)
"""
_PYTHON = (sys.executable, "-I", "-S", "-c")


@frozen
class End:
    """An end of a way: a host, or an instance's namespace on it, with its address."""

    host: LabHost
    address: str
    namespace: str | None = None

    def round_trip_ms(self, target: End) -> float:
        """The mean round trip of some pings, once flows and neighbours are known."""
        ping = ["ping", "-n", "-q", "-i", "0.002"]
        self.host.run([*ping, "-c", "20", target.address], namespace=self.namespace)
        command = [*ping, "-c", str(PINGS), target.address]
        seen = self.host.run(command, namespace=self.namespace).stdout
        found = re.search(r"rtt [^=]*= [\d.]+/([\d.]+)/", seen)
        assert found, seen
        return float(found[1])

    def transfer_ms(self, target: End) -> float:
        """The time of a transfer by TCP, until its end is confirmed."""
        receive = [*_PYTHON, _RECEIVE, target.address]
        with target.host.running(receive, target.namespace) as receiver:
            assert receiver.stdout
            port = receiver.stdout.readline().strip()
            send = [*_PYTHON, _SEND, target.address, port, str(MEGABYTES)]
            return 1000 * float(self.host.run(send, namespace=self.namespace).stdout)


def measure() -> Iterator[Figure]:
    """The figures, in ms. Needs root."""
    with tempfile.TemporaryDirectory(prefix="bench") as scratch:
        file, folder = Path(scratch, "topology.yaml"), StateFolder(Path(scratch, "lab"))
        file.write_text(TOPOLOGY)
        lifecycle.up(file, lambda _: None, folder)
        try:
            yield from _figures(lifecycle.running(folder).lab_hosts)
        finally:
            lifecycle.down(folder)


def _figures(hosts: dict[str, LabHost]) -> Iterator[Figure]:
    one, other = hosts["h1"], hosts["h2"]
    source = End(one, "10.1.0.11", instance_namespace("a"))
    ways = {
        "on one host": End(one, "10.1.0.12", instance_namespace("near")),
        "across hosts": End(other, "10.1.0.13", instance_namespace("far")),
        "routed, across hosts": End(other, "10.2.0.14", instance_namespace("routed")),
    }
    plain = End(one, "10.0.44.11"), End(other, "10.0.44.12")
    for what, way in (
        ("round trip", End.round_trip_ms),
        (f"{MEGABYTES} MiB by TCP", End.transfer_ms),
    ):
        rounds = [
            [way(*plain), *(way(source, target) for target in ways.values())] for _ in range(ROUNDS)
        ]
        peer, *ours = map(median, zip(*rounds, strict=True))
        for name, value in zip(ways, ours, strict=True):
            title = f"{what} {name}, datapath {datapath_type()}"
            yield Figure(title, "ms", value, peer, "the underlay between the hosts")
