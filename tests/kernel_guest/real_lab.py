"""A lab of real machines: each host of a topology is a guest, with a kernel and Open vSwitch of its
own, and they share an Ethernet. The controller runs on the first of them.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from attrs import frozen

from dvr_ryu.lab.hosts.bare import CONTROLLER, UNDERLAY, Lab, controller_of
from dvr_ryu.lab.hosts.cabling import BRIDGE, NIC
from dvr_ryu.lab.hosts.process import Process
from dvr_ryu.lab.services.readiness import Goal
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.source.file import FileSnapshot
from dvr_ryu.topology.controller import CONTROLLER_VARIABLE
from dvr_ryu.topology.topology import Topology
from tests.kernel_guest.guest import Guest
from tests.kernel_guest.host import GuestHost
from tests.kernel_guest.jobs import Job
from tests.machines import qemu
from tests.machines.link import Link

MEMORY = 1536
FILE = "/etc/dvr_topology.yaml"
_PATIENCE = 600
_OVS_CTL = "/usr/share/openvswitch/scripts/ovs-ctl"


@frozen
class RealLab:
    """Running guests by the names of their hosts, and the jobs of the controller and companions."""

    hosts: dict[str, GuestHost]
    jobs: dict[str, Job]

    @property
    def lab(self) -> Lab:
        """The guests as a lab: the first is also the controller's host, and sees the underlay."""
        first = next(iter(self.hosts.values()))
        return Lab({**self.hosts, CONTROLLER: first, UNDERLAY: first})

    def await_applied(self, text: str) -> None:
        """Wait until all hosts are as the text of a topology says; HostError if they are not."""
        snapshot = FileSnapshot(text.encode(), FILE)
        topology = snapshot.declaration().topology
        goal = Goal(topology, snapshot.version, load_pipelines(flows_dir()))
        for step in (
            goal.companion_has_applied,
            goal.bridges_have_flows,
            goal.instances_have_addresses,
        ):
            for host in self.hosts.values():
                wait_until(partial(step, host), _PATIENCE, host.name, self._ends_of_logs)

    def save(self, text: str) -> None:
        """Replace the topology on every host by this text."""
        for host in self.hosts.values():
            _save(host, text)

    def _ends_of_logs(self) -> str:
        return "\n".join(
            f"{name}:\n{(job.output.read_text() + job.error.read_text())[-3000:]}"
            for name, job in self.jobs.items()
        )


@contextmanager
def real_lab(text: str) -> Iterator[RealLab]:
    """The real machines of the topology in this text, which last as long as the block. They are
    as it says when the block begins.
    """
    topology = FileSnapshot(text.encode(), FILE).declaration().topology
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="real_lab")))
        link = stack.enter_context(Link(folder, "underlay"))

        def boot(name: str) -> GuestHost:
            guest = Guest.boot(name, MEMORY, qemu.nic(name, 0, link.backend(name)))
            stack.callback(guest.stop)
            return GuestHost(name, Process.of(guest.pid), guest)

        hosts = {name: boot(name) for name in topology.hosts}
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda host: _equip(host, topology, text), hosts.values()))
        first = next(iter(hosts.values()))
        address = f"{controller_of(topology).address}/{topology.underlay.cidr.prefixlen}"
        first.run(["ip", "address", "add", address, "dev", NIC])
        # The proof watches the underlay's bridge of a lab. Here each NIC sees all frames.
        first.run(["ip", "link", "property", "add", "dev", NIC, "altname", BRIDGE])
        running = RealLab(hosts, _services(hosts, topology))
        running.await_applied(text)
        yield running


def _equip(host: GuestHost, topology: Topology, text: str) -> None:
    """Make of a guest what an administrator makes of a server, before dvr_ryu runs there."""
    host.guest.await_boot()
    underlay = topology.underlay
    address = f"{topology.hosts[host.name].address}/{underlay.cidr.prefixlen}"
    host.run(["ip", "link", "set", NIC, "mtu", str(underlay.mtu), "up"])
    host.run(["ip", "address", "add", address, "dev", NIC])
    host.run(["rm", "-rf", "/etc/openvswitch/conf.db"])  # the machine's own
    host.run(["mkdir", "-p", "/etc/openvswitch", "/var/log/openvswitch"])
    host.run([_OVS_CTL, "start", f"--system-id={host.name}"], timeout=_PATIENCE)
    _save(host, text)


def _save(host: GuestHost, text: str) -> None:
    host.run(["sh", "-c", f"cat > {FILE}.new && mv {FILE}.new {FILE}"], input=text)


def _services(hosts: dict[str, GuestHost], topology: Topology) -> dict[str, Job]:
    variables = {
        CONTROLLER_VARIABLE: str(controller_of(topology)),
        "DVR_TOPOLOGY": FILE,
        "PYTHONUNBUFFERED": "1",
    }
    folder = Path(sys.executable).parent
    controller = [str(folder / "ryu-manager"), "dvr_ryu.app"]
    jobs = {"controller": next(iter(hosts.values())).guest.start(controller, "", variables)}
    for name, host in hosts.items():
        companion = [str(folder / "dvr"), "companion", "run", FILE, "--host", name]
        jobs[name] = host.guest.start(companion, "", variables)
    return jobs
