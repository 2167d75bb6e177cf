"""Starts the services of a lab, the controller and a companion on every host, and awaits them.

They are the programs that a user runs on real hosts, with the commands that a user types.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import field, frozen

from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.bare import CONTROLLER, Lab, controller_of
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.services import tls
from dvr_ryu.lab.services.page import VARIABLE
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.controller import CONTROLLER_VARIABLE
from dvr_ryu.topology.topology import Topology
from dvr_ryu.web.address import DEFAULT

if TYPE_CHECKING:
    from dvr_ryu.lab.services.readiness import Goal

FLOWS_LINK = "/run/dvr_lab/flows"
"""A symbolic link in the controller's host: its target is the folder of the flows."""

_PATIENCE = 60.0
_LAST_LINES = 15


@frozen
class LabService:
    """The controller or a companion: it runs on a lab host for as long as the lab is up."""

    name: str
    host: LabHost
    command: list[str]
    log: Path
    environment: Mapping[str, str] = field(factory=dict, eq=dict)

    def start(self, topology: Path, page: socket.socket | None = None) -> int:
        """Start the service unless it runs; return how often it was started so far.

        The controller finds the topology, the flows and its TLS files through its environment, and
        inherits the socket of its page.
        """
        extra = {
            "DVR_TOPOLOGY": str(topology),
            "DVR_FLOWS": FLOWS_LINK,
            "DVR_PKI": tls.FOLDER,
            "PYTHONUNBUFFERED": "1",
            **self.environment,
        }
        listens = (VARIABLE, page) if page else None
        if self.host.start_service(self.name, self.command, self.log, extra, listens):
            return 1
        return self.host.service_starts(self.name)

    def require_alive(self) -> None:
        """Raise HostError with the end of its log if the service has ended."""
        if self.host.service_pid(self.name) is None:
            raise self._ended()

    def require_unbroken(self, starts: int = 1) -> None:
        """Raise HostError if the service was restarted: it had been started `starts` times."""
        if self.host.service_starts(self.name) != starts:
            raise self._ended()

    def _ended(self) -> HostError:
        return HostError(f"the {self.name} of {self.host.name} has ended. {self.log_tail()}")

    def log_tail(self) -> str:
        """The end of the log, with the path of the log."""
        lines = self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
        return "\n".join([f"Its last lines, of {self.log}:", *(f"  {line}" for line in lines)])


def _beside_python(program: str) -> str:
    return str(Path(sys.executable).with_name(program))


def services_of(
    topology: Topology, path: Path, lab: Lab, folder: StateFolder, always_tls: bool = False
) -> list[LabService]:
    """The controller, then the companions. They use TLS if the file requires it, or if
    `always_tls`."""
    options = ["--pki", tls.FOLDER, *(["--tls"] if always_tls else [])]
    # Used where the file names no controller: the lab has then chosen an address.
    environment = {CONTROLLER_VARIABLE: str(controller_of(topology))}
    controller = LabService(
        "controller",
        lab[CONTROLLER],
        [_beside_python("ryu-manager"), "dvr_ryu.app"],
        folder.log("controller"),
        {**environment, VARIABLE: DEFAULT, **({"DVR_TLS": "1"} if always_tls else {})},
    )
    companions = [
        LabService(
            "companion",
            lab[name],
            [_beside_python("dvr"), "companion", "run", str(path), "--host", name, *options],
            folder.log(f"companion-{name}"),
            environment,
        )
        for name in topology.hosts
    ]
    return [controller, *companions]


def seed_memory(host: LabHost, text: str) -> None:
    """Give a new host's companion the previous topology, which the other companions have."""
    from dvr_ryu.companion.upkeep.memory import FILE

    memory = host.path(FILE)
    memory.parent.mkdir(parents=True, exist_ok=True)
    memory.write_text(text)


def start(services: list[LabService], path: Path, page: socket.socket | None = None) -> list[int]:
    """Start those of `services` that do not run; return how often each was started so far. The
    first, the controller, inherits the socket of its page when it is started for the first time.

    HostError if their hosts cannot read the topology file at `path`.
    """
    for service in services:
        if not service.host.path(str(path)).is_file():
            raise HostError(
                f"lab hosts have a /run of their own and cannot read {path}; move it elsewhere"
            )
    controller, *companions = services
    return [controller.start(path, page), *(each.start(path) for each in companions)]


def await_ready(
    services: list[LabService], starts: list[int], goal: Goal, progress: Callable[[str], None]
) -> None:
    """Wait until companions have applied their resources, bridges have flows, instances addresses.

    HostError, with the log's last lines, if a service ends before that or takes too long. `starts`
    has, for each service, how often it was started so far.
    """

    def require_unbroken() -> None:
        for service, count in zip(services, starts, strict=True):
            service.require_unbroken(count)

    def wait(ready: Callable[[LabHost], bool], awaited: str) -> None:
        _await(services, require_unbroken, ready, awaited)

    progress("companions make bridges, namespaces and instances")
    wait(goal.companion_has_applied, "the companion has applied its resources")
    progress("the controller fills the bridges")
    wait(goal.bridges_have_flows, "the controller has filled the bridges")
    progress("instances get their addresses")
    wait(goal.instances_have_addresses, "every instance has its address")


def await_departure(hosts: list[LabHost], goal: Goal) -> None:
    """Wait until hosts that left the topology can be ended; HostError if that takes too long.

    A host without a running companion has nothing to wait for.
    """

    def departed() -> bool:
        return all(
            goal.nothing_departs(host) or host.service_pid("companion") is None for host in hosts
        )

    wait_until(departed, _PATIENCE, "the instances of hosts that end have left")


def _await(
    services: list[LabService],
    require_unbroken: Callable[[], None],
    ready: Callable[[LabHost], bool],
    awaited: str,
) -> None:
    waiting = [service for service in services if service.name == "companion"]

    def all_ready() -> bool:
        require_unbroken()
        waiting[:] = [service for service in waiting if not ready(service.host)]
        return not waiting

    def unfinished() -> str:
        names = ", ".join(service.host.name for service in waiting)
        tails = [service.log_tail() for service in [*waiting, services[0]]]
        return "\n".join([f"not so on {names}", *tails])

    wait_until(all_ready, _PATIENCE, awaited, unfinished)
