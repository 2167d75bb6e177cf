"""Probes that connect: a server answers each client with the address from which it came.

The probes start the server themselves, and only for the one attempt.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from attrs import frozen

from dvr_ryu.lab.hosts.bare import Lab
from dvr_ryu.lab.proof import probes
from dvr_ryu.lab.proof.probes import Endpoint, Failed


@frozen
class Server:
    """A server of TCP or UDP on an address of `endpoint`; at port 0 it has any free port."""

    endpoint: Endpoint
    address: str
    protocol: str = "tcp"
    port: int = 0

    @contextmanager
    def running(self, lab: Lab) -> Iterator[int]:
        """Run it for as long as the block lasts; yield its port. Raise Failed if it cannot
        listen."""
        arguments = (self.protocol, self.address, str(self.port))
        host = lab[self.endpoint.host]
        command = [*_PYTHON, _SERVE, *arguments]
        with host.running(command, self.endpoint.namespace, subprocess.STDOUT) as process:
            assert process.stdout
            port = process.stdout.readline().strip()
            if not port.isdigit():
                reason = (process.stdout.read().splitlines() or [port])[-1]
                raise Failed(f"{self} cannot listen: {reason}")
            yield int(port)

    def __str__(self) -> str:
        return f"{self.endpoint.namespace or self.endpoint.host} on {self.address}"


@frozen
class Connects:
    """`endpoint` connects to `port` of `address`, and `server` answers; without a port, to that of
    the server. If `source` is named, the server sees the connection come from there.
    """

    endpoint: Endpoint
    address: str
    server: Server | None
    """None: the file names no machine that would answer, so the probe runs none."""
    port: int | None = None
    source: str | None = None
    protocol: str = "tcp"

    def __call__(self, lab: Lab) -> str:
        """Connect once; UDP is sent again until an answer comes."""
        if self.server is None and self.port is None:
            raise Failed(f"the file names no machine that has {self.address}")
        with _running(self.server, lab) as inner:
            result = _greet(lab, self, self.port or inner, probes.PATIENCE)
        if result.returncode:
            raise Failed((result.stderr.splitlines() or ["no connection"])[-1])
        seen = result.stdout
        if self.source is None:
            at = self.server.address if self.server else self.address
            return f"answered by {at}:{inner or self.port}"
        if seen != self.source:
            raise Failed(f"seen as {seen}, not {self.source}")
        return f"seen as {seen}"


@frozen
class NoConnection:
    """`endpoint` gets no answer from `port` of `address`, though `server` runs, if there is one."""

    endpoint: Endpoint
    address: str
    protocol: str
    port: int
    server: Server | None

    def __call__(self, lab: Lab) -> str:
        """Try for a moment."""
        with _running(self.server, lab):
            result = _greet(lab, self, self.port, _MOMENT)
        if result.returncode == 0:
            raise Failed("answers, but may not be reached")
        return "does not answer"


@contextmanager
def _running(server: Server | None, lab: Lab) -> Iterator[int]:
    """Run a server, if there is one, for as long as the block lasts; yield its port."""
    with server.running(lab) if server else nullcontext(0) as port:
        yield port


_MOMENT = 1.5
"""Seconds until a condition that must not become true counts as false."""

_PYTHON = (sys.executable, "-I", "-S", "-c")
_SERVE = """
import errno, signal, socket, sys
protocol, address, port = sys.argv[1:]
stream = protocol == "tcp"
sock = socket.socket(type=socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
try:
    sock.bind((address, int(port)))
    stream and sock.listen()
except OSError as error:
    if error.errno != errno.EADDRINUSE:
        raise
    print(port, flush=True)  # another server runs there, and may answer
    signal.pause()
print(sock.getsockname()[1], flush=True)
while True:
    if stream:
        connection, peer = sock.accept()
        connection.sendall(peer[0].encode())
        connection.close()
    else:
        peer = sock.recvfrom(99)[1]
        sock.sendto(peer[0].encode(), peer)
"""
_GREET = """
import socket, sys, time
protocol, address, port, own, patience = sys.argv[1:]
end = time.monotonic() + float(patience)
if protocol == "tcp":
    answer = socket.create_connection((address, int(port)), float(patience), (own, 0)).recv(99)
    print(answer.decode(), end="")
    sys.exit(not answer)
with socket.socket(type=socket.SOCK_DGRAM) as sock:
    sock.bind((own, 0))
    sock.connect((address, int(port)))
    sock.settimeout(0.5)
    while time.monotonic() < end:
        try:
            sock.send(b"hello?")
            answer = sock.recv(99)
            print(answer.decode(), end="")
            sys.exit(not answer)
        except OSError:
            pass
sys.exit(f"no answer within {patience} s")
"""


def _greet(
    lab: Lab, probe: Connects | NoConnection, port: int, patience: float
) -> subprocess.CompletedProcess[str]:
    arguments = (
        probe.protocol,
        probe.address,
        str(port),
        probe.endpoint.address or "",
        str(patience),
    )
    return probe.endpoint.run(lab, [*_PYTHON, _GREET, *arguments])
