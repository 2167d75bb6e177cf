"""Runs a companion in a lab host, edits its topology, and connects to what it made; for tests."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from attrs import frozen

from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.host import LabHost, environment
from dvr_ryu.lab.hosts.process import Process
from dvr_ryu.lab.wait import wait_until

_COMPANIONS = """
import json, os, signal, sys, tempfile, traceback
from dvr_ryu.companion.agent import apply, down, plan
from dvr_ryu.errors import DvrError
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView

def work(verb, file, host, kill_at):
    def progress(done, total):
        if kill_at is not None and done >= kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    if verb == "down":
        return down(host, progress)
    view = HostView(load_topology(file), host)
    return plan(view) if verb == "plan" else apply(view, progress)

def companion(arguments):
    try:
        print(json.dumps(list(work(*arguments).lines())), flush=True)
        return 0
    except DvrError as error:
        print(error, file=sys.stderr, flush=True)
    except BaseException:
        traceback.print_exc()
    return 1

for line in sys.stdin:
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        pid = os.fork()
        if not pid:
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output.fileno(), 1)
            os.dup2(errors.fileno(), 2)
            os._exit(companion(json.loads(line)))
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        texts = []
        for file in output, errors:
            file.seek(0)
            texts.append(file.read().decode(errors="replace"))
        print(json.dumps([code, *texts]), flush=True)
"""
_hosts: dict[Process, subprocess.Popen[str]] = {}
"""A lab host, by its first process → a process in it that forks companions: to import all that a
companion needs takes longer than its work."""


def _forker(host: LabHost) -> subprocess.Popen[str]:
    """The process of a host that forks companions; it ends with the host."""
    if host.init not in _hosts:
        _hosts[host.init] = subprocess.Popen(
            host.enter([sys.executable, "-c", _COMPANIONS]),
            env=environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    return _hosts[host.init]


@frozen
class Companion:
    """The companion of one lab host, and its topology file."""

    host: LabHost
    file: Path
    name: str

    def __call__(self, verb: str) -> list[str]:
        """Plan, apply or take down; return the lines of the change."""
        lines: list[str] = json.loads(self.attempt(verb).stdout)
        return lines

    def attempt(
        self, verb: str, kill_at: int | None = None, check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Like a call, but it may fail, or be killed once so many resources are made."""
        forker = _forker(self.host)
        assert forker.stdin and forker.stdout
        request = [verb, str(self.file), self.name, kill_at]
        print(json.dumps(request), file=forker.stdin, flush=True)
        code, output, errors = json.loads(forker.stdout.readline())
        if check and code:
            raise HostError(f"companion {verb} of {self.name}: ended with {code}\n{errors}")
        return subprocess.CompletedProcess(verb, code, output, errors)

    def edit(self, old: str, new: str) -> None:
        """Replace a part of the topology file, which must exist."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))


def run(host: LabHost, command: str, namespace: str | None = None) -> str:
    """Run a command without quotes in a host, or in one of its namespaces; return its output."""
    return host.run(command.split(), namespace=namespace).stdout


def pings(host: LabHost, namespace: str | None, address: str, *options: str) -> bool:
    """Whether an address answers."""
    ping = ["ping", "-c1", "-W2", *options, address]
    return host.run(ping, namespace=namespace, check=False).returncode == 0


def await_answer(host: LabHost, namespace: str | None, address: str) -> None:
    """Wait until an address answers."""
    wait_until(lambda: pings(host, namespace, address), 15, f"an answer from {address}")


def await_lease(host: LabHost, instance: str) -> dict[str, str]:
    """Wait until an instance's DHCP client has a lease, and return it."""
    file = host.path(f"/run/dvr_ryu/leases/vm-{instance}")
    wait_until(file.exists, 15, f"a lease for {instance}")
    return dict(line.split("=", 1) for line in file.read_text().splitlines())


def await_state(host: LabHost, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """Wait until the state of a running companion matches; return it."""
    file = host.path("/run/dvr_ryu/companion.json")

    def state() -> dict[str, Any]:
        try:
            document: dict[str, Any] = json.loads(file.read_text())
        except FileNotFoundError:
            return {}
        return document

    wait_until(lambda: bool(state()) and fits(state()), 30, "the companion", lambda: str(state()))
    return state()


_PRINT_LEASE = """\
#!/bin/sh
[ "$1" != bound ] || env
"""


def lease_printer(host: LabHost) -> str:
    """Make a script that prints the variables of a DHCP lease, and return its path in the host."""
    script = host.path("/run/tell.script")
    script.write_text(_PRINT_LEASE)
    script.chmod(0o755)
    return "/run/tell.script"


def plugged(host: LabHost, name: str, tag: int, tries: int = 4) -> str | None:
    """Plug an undeclared machine into br-int; return its address from DHCP."""
    for command in (
        f"ip netns add {name}",
        f"ip link add {name} type veth peer name eth0 netns {name}",
        f"ip link set {name} up",
        f"ip -n {name} link set eth0 up",
        f"ip netns exec {name} ethtool -K eth0 tx off",
        f"ovs-vsctl add-port br-int {name} tag={tag}",
    ):
        run(host, command)
    # The server takes three seconds to make sure that the address is free.
    command = f"udhcpc -f -n -q -t {tries} -T 5 -i eth0 -s {lease_printer(host)}"
    output = host.run(command.split(), namespace=name, check=False).stdout
    return next((line[3:] for line in output.splitlines() if line.startswith("ip=")), None)


_SERVER = """
import socket, sys
server = socket.create_server(("", 7777))
print("ready", flush=True)
connection, peer = server.accept()
print(peer[0], flush=True)
connection.close()
"""
_CLIENT = "import socket, sys; socket.create_connection((sys.argv[1], 7777), 5).recv(1)"


def seen_as(
    client: tuple[LabHost, str | None], server: tuple[LabHost, str | None], address: str
) -> str:
    """Connect by TCP to an address; return the source address that the server sees."""
    (serving, inner), (asking, outer) = server, client
    with serving.running([sys.executable, "-c", _SERVER], inner) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        asking.run([sys.executable, "-c", _CLIENT, address], namespace=outer)
        return process.stdout.readline().strip()
