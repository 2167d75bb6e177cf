"""The probes of a running lab, as values: a ping, a lease, the source address of a connection.

A probe waits some seconds for a condition that should become true, because instances and switches
may just have been changed. It tries a condition that must not become true only for a moment.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from attrs import frozen

from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.hosts.cabling import NIC
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.wait import wait_until

PATIENCE = 5
"""Seconds until a condition that should become true counts as false."""

ICMP_OVERHEAD = 28
"""Bytes of the IPv4 and ICMP headers before a ping's payload."""


class Failed(Exception):
    """A probe failed; the text is its finding."""


@frozen
class Endpoint:
    """An endpoint of a probe: a lab host, or a network namespace of it."""

    host: str
    namespace: str | None = None

    def run(self, lab: Lab, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run `command` here; a failure raises nothing."""
        return lab[self.host].run(command, namespace=self.namespace, check=False)


class Probe(Protocol):
    """A probe: a call carries it out."""

    def __call__(self, lab: Lab) -> str:
        """Return a short text about the result; raise Failed if the result is wrong."""


@frozen
class Ping:
    """`endpoint` gets an answer from `address` to a packet of `size` bytes, not fragmented."""

    endpoint: Endpoint
    address: str
    size: int | None = None

    def __call__(self, lab: Lab) -> str:
        """Send one ping a second until an answer comes."""
        command = ["ping", "-n", "-c", "1", "-w", str(PATIENCE)]
        if self.size is not None:
            command += ["-M", "do", "-s", str(self.size - ICMP_OVERHEAD)]
        result = self.endpoint.run(lab, [*command, self.address])
        if result.returncode:
            raise Failed(_reason(result) or f"no answer within {PATIENCE} s")
        return "answers" if self.size is None else f"answers to {self.size} bytes"


@frozen
class NoPing:
    """`endpoint` gets no answer from `address`."""

    endpoint: Endpoint
    address: str

    def __call__(self, lab: Lab) -> str:
        """Send three pings in quick succession."""
        result = self.endpoint.run(
            lab, ["ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", self.address]
        )
        if result.returncode == 0:
            raise Failed("answers, but may not be reached")
        if "transmitted" not in result.stdout and "unreachable" not in result.stderr:
            raise Failed(_reason(result))
        return "does not answer"


def _reason(result: subprocess.CompletedProcess[str]) -> str:
    """The complaint of ping, in one line."""
    lines = [line for line in result.stderr.splitlines() + result.stdout.splitlines() if line]
    return next((line for line in lines if "nreachable" in line or "ping: " in line), "")


@frozen
class GatewayAnswers:
    """The gateway `address` answers ARP with `mac`, and no other MAC answers for it."""

    endpoint: Endpoint
    address: str
    mac: str

    def __call__(self, lab: Lab) -> str:
        """Send ARP requests until an answer comes, and collect all answers within a second."""
        command = ["arping", "-c", "1", "-I", NIC, self.address]
        for _ in range(PATIENCE):
            # An answer may appear twice: the kernel may have sent a request, too.
            macs = set(
                re.findall(r"\[([0-9a-f:]+)\]", self.endpoint.run(lab, command).stdout.lower())
            )
            if macs == {self.mac}:
                return f"is at {self.mac}"
            if macs:
                raise Failed(f"is at {', '.join(sorted(macs))}, not at {self.mac} alone")
        raise Failed(f"0 answers from {self.mac}")


@frozen
class Leased:
    """`endpoint` has `address` from a lease, and a default route by `gateway` if there is one."""

    endpoint: Endpoint
    address: str
    gateway: str | None
    server: str
    """The host of the network's DHCP server."""
    leases: str
    """The server's file of leases, in dnsmasq's format: time, MAC, address, name, client."""

    def __call__(self, lab: Lab) -> str:
        """Wait until the lease is complete."""
        try:
            wait_until(lambda: not self._missing(lab), 2 * PATIENCE, "")
        except HostError:
            raise Failed(self._missing(lab)) from None
        return f"has {self.address}"

    def _missing(self, lab: Lab) -> str:
        ip = self.address.partition("/")[0]
        addresses = self._ip(lab, "address", "show", "dev", NIC)
        if self.address not in addresses:
            return f"has {', '.join(addresses) or 'no address'}, not {self.address}"
        gateways = self._ip(lab, "route", "show", "default")
        if gateways != ([self.gateway] if self.gateway else []):
            expected = self.gateway or "nothing"
            return f"default via {', '.join(gateways) or 'nothing'}, not {expected}"
        leases = lab[self.server].path(self.leases)
        if not leases.exists() or f" {ip} " not in leases.read_text():
            return f"the DHCP server on {self.server} has given no lease of {ip}"
        return ""

    def _ip(self, lab: Lab, *arguments: str) -> list[str]:
        """The addresses with their prefix lengths, or the gateways."""
        result = self.endpoint.run(lab, ["ip", "-json", "-4", *arguments])
        entries = json.loads(result.stdout or "[]")
        if arguments[0] == "route":
            return [entry.get("gateway", "") for entry in entries]
        return [
            f"{address['local']}/{address['prefixlen']}"
            for entry in entries
            for address in entry.get("addr_info", ())
        ]


@frozen
class SeenAs:
    """`host` sees a TCP connection from `endpoint` to its underlay address come from `source`."""

    endpoint: Endpoint
    host: str
    address: str
    source: str

    def __call__(self, lab: Lab) -> str:
        """Connect; the other end answers with the source address that it sees."""
        with _listener(lab[self.host], self.address) as port:
            result = self.endpoint.run(
                lab, [*_PYTHON, _ASK_PEER, self.address, str(port), str(PATIENCE)]
            )
        if result.returncode:
            raise Failed((result.stderr.splitlines() or ["no connection"])[-1])
        if result.stdout != self.source:
            raise Failed(f"seen as {result.stdout}, not {self.source}")
        return f"seen as {self.source}"


@frozen
class Forwards:
    """A port of `address` leads to `instance`: `endpoint` gets the answer of a server there."""

    endpoint: Endpoint
    address: str
    protocol: str
    port: int
    instance: Endpoint
    fixed_ip: str
    inner_port: int

    def __call__(self, lab: Lab) -> str:
        """Start a server there and connect from here. If a server runs there already, it may
        answer.
        """
        with _serving(lab, self.instance, (self.protocol, self.fixed_ip, str(self.inner_port))):
            arguments = (self.protocol, self.address, str(self.port), str(PATIENCE))
            result = self.endpoint.run(lab, [*_PYTHON, _GREET, *arguments])
        if result.returncode:
            raise Failed((result.stderr.splitlines() or ["no answer"])[-1])
        return f"answered by {self.fixed_ip}:{self.inner_port}"


_PYTHON = (sys.executable, "-I", "-S", "-c")
_LISTEN = """
import socket, sys
listener = socket.create_server((sys.argv[1], 0))
print(listener.getsockname()[1], flush=True)
connection, (peer, _) = listener.accept()
connection.sendall(peer.encode())
connection.close()
"""
_ASK_PEER = """
import socket, sys
connection = socket.create_connection(sys.argv[1:3], float(sys.argv[3]))
print(connection.makefile().read(), end="")
"""


_SERVE = """
import socket, sys
protocol, address, port = sys.argv[1:]
stream = protocol == "tcp"
sock = socket.socket(type=socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    sock.bind((address, int(port)))
    stream and sock.listen()
finally:
    print("ready", flush=True)
while True:
    if stream:
        sock.accept()[0].sendall(b"here")
    else:
        sock.sendto(b"here", sock.recvfrom(99)[1])
"""
_GREET = """
import socket, sys, time
protocol, address, port, patience = sys.argv[1:]
end = time.monotonic() + float(patience)
if protocol == "tcp":
    sys.exit(not socket.create_connection((address, int(port)), float(patience)).recv(99))
with socket.socket(type=socket.SOCK_DGRAM) as sock:
    sock.connect((address, int(port)))
    sock.settimeout(0.5)
    while time.monotonic() < end:
        try:
            sock.send(b"hello?")
            sys.exit(not sock.recv(99))
        except OSError:
            pass
sys.exit(f"no answer within {patience} s")
"""


@contextmanager
def _serving(lab: Lab, endpoint: Endpoint, arguments: Sequence[str]) -> Iterator[None]:
    """Run a server that answers every client, for as long as the block lasts."""
    with lab[endpoint.host].running([*_PYTHON, _SERVE, *arguments], endpoint.namespace) as process:
        assert process.stdout
        process.stdout.readline()
        yield


@contextmanager
def _listener(host: LabHost, address: str) -> Iterator[int]:
    """Yield a port of `address` on `host`; its server sends its first client its address."""
    with host.running([*_PYTHON, _LISTEN, address], stderr=subprocess.STDOUT) as process:
        assert process.stdout
        port = process.stdout.readline()
        if not port.strip().isdigit():
            raise Failed(f"{host.name} cannot listen on {address}: {process.stdout.read()}")
        yield int(port)
