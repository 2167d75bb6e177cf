"""What a check does in a running lab: a ping, a lease, how a connection is seen. Each is a value.

A probe waits a few seconds for what should come true, because instances and switches have just been
told; what should not come true has to fail at once.
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
"""Seconds until what should come true counts as false."""

ICMP_OVERHEAD = 28
"""Bytes of IPv4 and ICMP header before a ping's own."""


class Failed(Exception):
    """A probe did not find what should be; the text says what it found."""


@frozen
class Endpoint:
    """Where a probe runs: on a lab host, or in a network namespace of it."""

    host: str
    namespace: str | None = None

    def run(self, lab: Lab, command: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run `command` here, whatever its exit code."""
        return lab[self.host].run(command, namespace=self.namespace, check=False)


class Probe(Protocol):
    """Something to try."""

    def __call__(self, lab: Lab) -> str:
        """Return what was seen, in a few words; Failed if that is not as it should be."""


@frozen
class Ping:
    """`endpoint` gets an answer from `address`, to a packet of `size` bytes that may not be cut."""

    endpoint: Endpoint
    address: str
    size: int | None = None

    def __call__(self, lab: Lab) -> str:
        """Ask once a second until there is an answer."""
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
        """Ask three times, quickly."""
        result = self.endpoint.run(
            lab, ["ping", "-n", "-c", "3", "-i", "0.2", "-W", "1", self.address]
        )
        if result.returncode == 0:
            raise Failed("answers, but may not be reached")
        if "transmitted" not in result.stdout and "unreachable" not in result.stderr:
            raise Failed(_reason(result))
        return "does not answer"


def _reason(result: subprocess.CompletedProcess[str]) -> str:
    """What ping complains of, in one line."""
    lines = [line for line in result.stderr.splitlines() + result.stdout.splitlines() if line]
    return next((line for line in lines if "nreachable" in line or "ping: " in line), "")


@frozen
class GatewayAnswers:
    """The gateway `address` answers ARP with `mac`, and nobody else answers for it."""

    endpoint: Endpoint
    address: str
    mac: str

    def __call__(self, lab: Lab) -> str:
        """Ask until there is an answer, and hear all that come within a second."""
        command = ["arping", "-c", "1", "-I", NIC, self.address]
        for _ in range(PATIENCE):
            # One answer may be seen twice: the kernel may be asking as well.
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
    """Where the server keeps its leases, in dnsmasq's form: time, MAC, address, name, client."""

    def __call__(self, lab: Lab) -> str:
        """Look until the lease is there."""
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
        """Addresses with their length, or gateways."""
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
        """Connect, and be told by the other side."""
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
    """A port of `address` is one of `instance`'s: `endpoint` is answered by who listens there."""

    endpoint: Endpoint
    address: str
    protocol: str
    port: int
    instance: Endpoint
    fixed_ip: str
    inner_port: int

    def __call__(self, lab: Lab) -> str:
        """Listen there and ask here. If something else listens there already, that may answer."""
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
            sock.send(b"who is there?")
            sys.exit(not sock.recv(99))
        except OSError:
            pass
sys.exit(f"no answer within {patience} s")
"""


@contextmanager
def _serving(lab: Lab, endpoint: Endpoint, arguments: Sequence[str]) -> Iterator[None]:
    """Somebody who answers everybody, for as long as the block lasts."""
    with lab[endpoint.host].running([*_PYTHON, _SERVE, *arguments], endpoint.namespace) as process:
        assert process.stdout
        process.stdout.readline()
        yield


@contextmanager
def _listener(host: LabHost, address: str) -> Iterator[int]:
    """A port of `address` on `host` that tells the first to connect what address he comes from."""
    with host.running([*_PYTHON, _LISTEN, address], stderr=subprocess.STDOUT) as process:
        assert process.stdout
        port = process.stdout.readline()
        if not port.strip().isdigit():
            raise Failed(f"{host.name} cannot listen on {address}: {process.stdout.read()}")
        yield int(port)
