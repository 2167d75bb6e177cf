"""One host, made by the companion: beside the shell script that people would type, and when edited.

The host is a bare lab host with everything on it: 200 instances on 20 networks with their DHCP
servers, 5 routers with SNAT, 5 floating addresses, tunnels to 9 other hosts, which need not exist.
*Apply* is the whole process of `dvr companion apply` on the bare host; the peer is sh with what
`dvr companion plan --as script` prints, one command a line, on the same host. After either, the
other one's plan must find nothing to change. Whatever is timed begins when the processors rest: the
kernel goes on ending namespaces, and Open vSwitch ports, for seconds after `down` has returned.

*One more instance* is the figure in the log of `dvr companion run`: from the topology in memory to
the change made. The reading of the file is told apart there, and is not in it. One peer is the same
at 20 instances. The other is one `ovs-vsctl add-port` on the same host, the whole process: Open
vSwitch itself takes longer for a port the more of them it has, and we wait for it.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median

from attrs import evolve, frozen

from bench.figures import Figure, Goal, alternate
from dvr_ryu.errors import HostError
from dvr_ryu.lab.bare import bare_lab
from dvr_ryu.lab.host import LabHost
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.loading import parse_topology

DVR = str(Path(sys.executable).with_name("dvr"))
NETWORKS, ROUTERS, HOSTS, FLOATING = 20, 5, 10, 5
INSTANCES = 200
SIZES = (20, 200, 400)
ROUNDS = 5
EDITS = 5
SECONDS = 120
"""How long one command or change may take."""
IDLE, GLANCE, PATIENCE = 0.9, 0.2, 10
"""The part of the processors' time that is nobody's when they rest; for how many seconds that is
looked at; and after how many we go on, though somebody else is at work on this machine."""

_LOGGED = re.compile(r"in (\d+) ms; the file was read in (\d+) ms")


def measure() -> Iterator[Figure]:
    """The figures, in seconds and ms. Needs root."""
    with _stage() as stage:
        yield from _whole_host(stage)
        yield from _one_more(stage)


# A host made, and found made ----------------------------------------------------------------------


def _whole_host(stage: _Stage) -> Iterator[Figure]:
    stage.write(INSTANCES)
    ours, script = alternate(ROUNDS, stage.apply, stage.follow_script)
    stage.apply()
    again = median(stage.seconds(*stage.word("apply")) for _ in range(ROUNDS))
    down = stage.seconds(*stage.word("down"))
    name = f"host of {INSTANCES} instances"
    yield Figure(f"{name}: apply", "s", ours, script, "shell script", Goal(0.1))
    yield Figure(f"{name}: second apply", "s", again, goal=Goal(1, absolute=True))
    yield Figure(f"{name}: down", "s", down)


@frozen
class _Stage:
    """A bare host, and the file of its topology."""

    host: LabHost
    topology: Path

    def write(self, instances: int) -> None:
        """Save the topology, as an editor does: at once."""
        fresh = self.topology.with_suffix(".fresh")
        fresh.write_text(text(instances))
        fresh.replace(self.topology)

    def word(self, verb: str) -> list[str]:
        """The command line of a word of `dvr companion`."""
        file = [] if verb == "down" else [str(self.topology)]
        return [DVR, "companion", verb, *file, "--host", self.host.name]

    def seconds(self, *words: str, input: str = "") -> float:
        """The time that a command takes."""
        _rest()
        began = time.monotonic()
        self.host.run(words, timeout=SECONDS, input=input)
        return time.monotonic() - began

    def apply(self) -> float:
        """The time that the companion takes for a bare host."""
        self.host.run(self.word("down"), timeout=SECONDS)
        return self.seconds(*self.word("apply"))

    def follow_script(self) -> float:
        """The time that the script takes for a bare host."""
        self.host.run(self.word("down"), timeout=SECONDS)
        planned = self.host.run([*self.word("plan"), "--as", "script"], check=False).stdout
        seconds = self.seconds("sh", "-s", input=planned)
        self.host.run(self.word("plan"))  # fails if anything is left to do
        return seconds


@contextmanager
def _stage() -> Iterator[_Stage]:
    """A lab of one host; gone at the end, whatever happens."""
    topology = parse_topology(text(0), "companion.yaml")
    name = next(iter(topology.hosts))
    alone = evolve(topology, hosts={name: topology.hosts[name]})
    with tempfile.TemporaryDirectory(prefix="dvr_bench") as folder, bare_lab(alone) as lab:
        yield _Stage(lab[name], Path(folder, "topology.yaml"))


# One instance more --------------------------------------------------------------------------------


def _one_more(stage: _Stage) -> Iterator[Figure]:
    stage.write(0)
    instances: dict[int, float] = {}
    ports: dict[int, float] = {}
    with _running(stage) as log:
        for size in SIZES:
            log.after_saving(size)
            instances[size] = median(log.growth_ms(size) for _ in range(EDITS))
            ports[size] = median(_port_ms(stage) for _ in range(EDITS))
    least = min(SIZES)
    for size in SIZES:
        name = f"one more instance, at {size}"
        if size > least:
            peer = f"at {least} instances"
            yield Figure(name, "ms", instances[size], instances[least], peer, Goal(1.5))
        yield Figure(name, "ms", instances[size], ports[size], "ovs-vsctl add-port")


@frozen
class _Log:
    """What the companion that stays says of the file's edits."""

    file: Path
    stage: _Stage

    def after_saving(self, instances: int) -> float:
        """Save a topology; return the ms that the companion says it took to make it."""
        known = len(self._times())
        self.stage.write(instances)
        wait_until(lambda: len(self._times()) > known, SECONDS, "the change", self.file.read_text)
        return self._times()[-1]

    def growth_ms(self, instances: int) -> float:
        """The ms that one instance more takes; it leaves again."""
        _rest()
        taken = self.after_saving(instances + 1)
        self.after_saving(instances)
        return taken

    def _times(self) -> list[float]:
        return [float(change) for change, _ in _LOGGED.findall(self.file.read_text())]


@contextmanager
def _running(stage: _Stage) -> Iterator[_Log]:
    """The log of a companion that stays; it is ended at the end."""
    log = stage.topology.with_name("log")
    log.touch()
    service = "companion"
    stage.host.start_service(service, stage.word("run"), log, {})
    wait_until(lambda: bool(_LOGGED.search(log.read_text())), SECONDS, "the companion")
    try:
        yield _Log(log, stage)
    finally:
        stage.host.run(["kill", str(stage.host.service_pid(service))])
        wait_until(lambda: stage.host.service_pid(service) is None, SECONDS, "its end")


def _port_ms(stage: _Stage) -> float:
    """The time that Open vSwitch takes for one more port of br-int, whoever asks for it."""
    stage.host.run(["ip", "link", "add", "bench0", "type", "veth", "peer", "name", "bench1"])
    seconds = stage.seconds("ovs-vsctl", "add-port", "br-int", "bench0")
    stage.host.run(["ovs-vsctl", "del-port", "br-int", "bench0"])
    stage.host.run(["ip", "link", "del", "bench0"])
    return 1000 * seconds


def _rest() -> None:
    """Wait until the processors have nothing to do."""
    with suppress(HostError):
        wait_until(lambda: _idle() > IDLE, PATIENCE, "rest")


def _idle() -> float:
    """The part of the processors' time, for a moment, that is nobody's."""
    before = _ticks()
    time.sleep(GLANCE)
    spent = [now - then for now, then in zip(_ticks(), before, strict=True)]
    return (spent[3] + spent[4]) / sum(spent)  # idle, and waiting for a disk


def _ticks() -> list[int]:
    with open("/proc/stat") as file:
        return [int(word) for word in file.readline().split()[1:9]]


# The topology -------------------------------------------------------------------------------------


def text(instances: int) -> str:
    """The topology: so many instances on its first host, which has all there is, one on others."""
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
    """An instance with a pinned address: another instance must not move it."""
    address = f"10.{number % NETWORKS + 1}.{host + 1}.{10 + number // NETWORKS}"
    return f"{{host: host-{host}, network: net-{number % NETWORKS}, ip: {address}}}"


def _yes(truth: bool) -> str:
    return str(truth).lower()
