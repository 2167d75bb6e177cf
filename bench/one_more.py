"""Measures how long one more instance takes, on a host with few instances and on one with many.

The figure is in the log of `dvr companion run`: it is the time from the topology in memory to the
completed change. The log reports the reading of the file separately, and the figure excludes it.
The companion waits for Open vSwitch, which takes longer for a port the more ports it has. So there
are three peers:

- the same at 20 instances: it shows the growth of all times together;
- the same at 20 instances with so many foreign ports on br-int that Open vSwitch has as many: it
  shows how the companion's own time grows with its instances;
- one `ovs-vsctl add-port` on the same host, the whole process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from attrs import frozen

from bench.figures import Figure, Goal
from bench.rig.bare_host import SECONDS, BareHost, lab_host, rest
from dvr_ryu.lab.wait import wait_until

FEW, SIZES = 20, (200, 400)
EDITS = 5
FLAT = Goal(1.5)

_FOREIGN = "others"
"""The namespace of the foreign veth peers."""
_LOGGED = re.compile(r"in (\d+) ms; the file was read in (\d+) ms")


def measure() -> Iterator[Figure]:
    """The figures, in ms. Needs root."""
    with lab_host() as bare:
        bare.write(0)
        with _running(bare) as log:
            yield from _figures(bare, log)


def _figures(bare: BareHost, log: _Log) -> Iterator[Figure]:
    log.after_saving(FEW)
    at_few = log.growth_ms(FEW)
    yield Figure(_name(FEW), "ms", at_few, _port_ms(bare), "ovs-vsctl add-port")
    beside = {}
    for size in SIZES:
        with _foreign_ports(bare, size - FEW):
            beside[size] = log.growth_ms(FEW)
    for size in SIZES:
        log.after_saving(size)
        ours = log.growth_ms(size)
        yield Figure(_name(size), "ms", ours, at_few, f"at {FEW} instances", FLAT)
        peer = f"at {FEW} instances, and {size - FEW} ports of others"
        yield Figure(_name(size), "ms", ours, beside[size], peer, FLAT)
        yield Figure(_name(size), "ms", ours, _port_ms(bare), "ovs-vsctl add-port")


def _name(size: int) -> str:
    return f"one more instance, at {size}"


@frozen
class _Log:
    """The log of a running companion, about edits of the file."""

    file: Path
    bare: BareHost

    def after_saving(self, instances: int) -> float:
        """Save a topology; return the milliseconds that the companion reports for the change."""
        known = len(self._times())
        self.bare.write(instances)
        wait_until(lambda: len(self._times()) > known, SECONDS, "the change", self.file.read_text)
        return self._times()[-1]

    def growth_ms(self, instances: int) -> float:
        """The median of the milliseconds for one more instance, which is then removed."""
        return median(self._growth_ms(instances) for _ in range(EDITS))

    def _growth_ms(self, instances: int) -> float:
        rest()
        taken = self.after_saving(instances + 1)
        self.after_saving(instances)
        return taken

    def _times(self) -> list[float]:
        return [float(change) for change, _ in _LOGGED.findall(self.file.read_text())]


@contextmanager
def _running(bare: BareHost) -> Iterator[_Log]:
    """Run a companion, and yield its log; the companion ends with the block."""
    log = bare.topology.with_name("log")
    log.touch()
    service = "companion"
    bare.host.start_service(service, bare.command("run"), log, {})
    wait_until(lambda: bool(_LOGGED.search(log.read_text())), SECONDS, "the companion")
    try:
        yield _Log(log, bare)
    finally:
        bare.host.run(["kill", str(bare.host.service_pid(service))])
        wait_until(lambda: bare.host.service_pid(service) is None, SECONDS, "its end")


@contextmanager
def _foreign_ports(bare: BareHost, count: int) -> Iterator[None]:
    """Add so many foreign ports to br-int while the block runs."""
    names = [f"others{number}" for number in range(count)]
    devices = [
        f"link add {name} up type veth peer name eth{number} netns {_FOREIGN}"
        for number, name in enumerate(names)
    ]
    host = bare.host
    host.run(["ip", "netns", "add", _FOREIGN])
    try:
        host.run(["ip", "-batch", "-"], input="\n".join(devices), timeout=SECONDS)
        added = [word for name in names for word in ("--", "add-port", "br-int", name)]
        host.run(["ovs-vsctl", *added], timeout=SECONDS)
        yield
    finally:
        removals = [word for name in names for word in ("--", "--if-exists", "del-port", name)]
        host.run(["ovs-vsctl", *removals], timeout=SECONDS)
        host.run(["ip", "netns", "del", _FOREIGN], timeout=SECONDS)


def _port_ms(bare: BareHost) -> float:
    """The milliseconds that Open vSwitch takes for one more port of br-int by ovs-vsctl."""
    return median(_one_port_ms(bare) for _ in range(EDITS))


def _one_port_ms(bare: BareHost) -> float:
    bare.host.run(["ip", "link", "add", "bench0", "type", "veth", "peer", "name", "bench1"])
    seconds = bare.seconds("ovs-vsctl", "add-port", "br-int", "bench0")
    bare.host.run(["ovs-vsctl", "del-port", "br-int", "bench0"])
    bare.host.run(["ip", "link", "del", "bench0"])
    return 1000 * seconds
