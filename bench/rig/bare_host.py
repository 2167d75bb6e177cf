"""A bare lab host, its topology, and the time that commands take on it.

The host has something of each kind: instances on 20 networks with their DHCP servers, 5 routers
with SNAT, 5 floating IPs, tunnels to 9 other hosts, which need not exist. Every measurement begins
when the processors rest, because the kernel keeps removing namespaces and ports for seconds after
`down` has returned.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from attrs import evolve, frozen

from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.bare import bare_lab
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.loading import parse_topology

DVR = str(Path(sys.executable).with_name("dvr"))
NETWORKS, ROUTERS, HOSTS, FLOATING = 20, 5, 10, 5
SECONDS = 120
"""The timeout of a command or a change."""
IDLE, GLANCE, PATIENCE = 0.9, 0.2, 10
"""The processors rest if this part of their time is idle. It is measured over GLANCE seconds. After
PATIENCE seconds the measurement begins anyway, even if other programs use the machine."""


@frozen
class BareHost:
    """A bare host, and its topology file."""

    host: LabHost
    topology: Path

    def write(self, instances: int) -> None:
        """Save the topology atomically, like an editor."""
        fresh = self.topology.with_suffix(".fresh")
        fresh.write_text(text(instances))
        fresh.replace(self.topology)

    def command(self, verb: str) -> list[str]:
        """The command line of a command of `dvr companion`."""
        file = [] if verb == "down" else [str(self.topology)]
        return [DVR, "companion", verb, *file, "--host", self.host.name]

    def seconds(self, *command: str, input: str = "") -> float:
        """The time that a command takes."""
        rest()
        began = time.monotonic()
        self.host.run(command, timeout=SECONDS, input=input)
        return time.monotonic() - began


@contextmanager
def lab_host() -> Iterator[BareHost]:
    """A bare lab with one host; it is removed at the end."""
    topology = parse_topology(text(0), "companion.yaml")
    name = next(iter(topology.hosts))
    alone = evolve(topology, hosts={name: topology.hosts[name]})
    with tempfile.TemporaryDirectory(prefix="dvr_bench") as folder, bare_lab(alone) as lab:
        yield BareHost(lab[name], Path(folder, "topology.yaml"))


def rest() -> None:
    """Wait until the processors rest."""
    with suppress(HostError):
        wait_until(lambda: _idle() > IDLE, PATIENCE, "rest")


def _idle() -> float:
    """The idle part of the processors' time during a moment."""
    before = _ticks()
    time.sleep(GLANCE)
    spent = [later - earlier for later, earlier in zip(_ticks(), before, strict=True)]
    return (spent[3] + spent[4]) / sum(spent)  # idle and iowait


def _ticks() -> list[int]:
    with open("/proc/stat") as file:
        return [int(ticks) for ticks in file.readline().split()[1:9]]


# The topology -------------------------------------------------------------------------------------


def text(instances: int) -> str:
    """The topology: so many instances on its first host, which has everything, and one on each
    other.
    """
    lines = ["controller: tcp:10.0.0.250:6653", "underlay: {cidr: 10.0.0.0/24}", "hosts:"]
    for host in range(HOSTS):
        lines.append(f"  host-{host}: {{address: 10.0.0.{host + 1}, snat: {_yes(host == 0)}}}")
    lines.append("networks:")
    for network in range(NETWORKS):
        subnet = f"{{cidr: 10.{network + 1}.0.0/16, gateway_ip: 10.{network + 1}.0.1}}"
        lines.append(f"  net-{network}: {{subnets: [{subnet}], dhcp_host: host-0}}")
    lines.append(
        "  outside: {external: true, gateway_host: host-0,"
        " subnets: [{cidr: 2.2.2.0/24, dhcp: false}]}"
    )
    lines.append("routers:")
    each = NETWORKS // ROUTERS
    for router in range(ROUTERS):
        joined = (f"{{network: net-{router * each + number}}}" for number in range(each))
        lines.append(
            f"  router-{router}: {{interfaces: [{', '.join(joined)}], external_network: outside}}"
        )
    lines.append("instances:")
    for host in range(1, HOSTS):
        lines.append(f"  there-{host}: {_instance(host, host)}")
    for number in range(instances):
        lines.append(f"  here-{number}: {_instance(0, number)}")
    if instances:
        lines.append("floating_ips:")
        for number in range(FLOATING):
            lines.append(f"  2.2.2.{100 + number}: {{instance: here-{number * each}}}")
    return "\n".join([*lines, ""])


def _instance(host: int, number: int) -> str:
    """An instance with a pinned address, so that another instance does not change it."""
    address = f"10.{number % NETWORKS + 1}.{host + 1}.{10 + number // NETWORKS}"
    return f"{{host: host-{host}, network: net-{number % NETWORKS}, ip: {address}}}"


def _yes(truth: bool) -> str:
    return str(truth).lower()
