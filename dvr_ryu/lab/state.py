"""The lab's state folder: it names the lab that is up, and lets one process at a time change the
lab.

The state file is only a memory. A marker in their environment finds the processes that really run,
so a lost, truncated or outdated file leaves none of them behind.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from attrs import asdict, evolve, field, frozen
from attrs.validators import deep_mapping, instance_of

from dvr_ryu.errors import HostError, one_line
from dvr_ryu.lab.hosts.bare import Lab, addresses_of
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.hosts.process import Process
from dvr_ryu.topology.topology import Topology

FOLDER = Path("/run/dvr_lab")
"""The state and the logs of this machine's lab. Only root can read it."""


_STR = instance_of(str)


@frozen
class LabState:
    """A lab as it was made. `started` is local time in ISO 8601; `up` sets `complete` at its end.

    `cidr`, the underlay's, is fixed for a lab, and each of `addresses` for a host: another value
    needs a new lab or a new host. `mtu` is the underlay's. The companions alone take the rest of
    the topology, and the type of the tunnels. `tls` is whether switches reach the controller by
    TLS, even if the topology says tcp, and `page` the URL of the controller's page on this machine.
    """

    topology: str = field(validator=_STR)
    started: str = field(validator=_STR)
    complete: bool = field(default=False, validator=instance_of(bool))
    hosts: Mapping[str, Process] = field(factory=dict, eq=dict)
    cidr: str = field(default="", validator=_STR)
    mtu: int = field(default=0, validator=instance_of(int))
    addresses: Mapping[str, str] = field(factory=dict, eq=dict, validator=deep_mapping(_STR, _STR))
    tls: bool = field(default=False, validator=instance_of(bool))
    page: str = field(default="", validator=_STR)

    @classmethod
    def new(cls, topology: Path, tls: bool = False) -> LabState:
        """The state of a lab that does not exist yet, for the topology in this file."""
        started = datetime.now().isoformat(sep=" ", timespec="seconds")
        return cls(str(topology), started, tls=tls)

    def of(self, lab: Lab, topology: Topology, staying: Mapping[str, str] = {}) -> LabState:
        """The same with the hosts of `topology`, and with further hosts that stay: `staying` has
        their addresses by name.
        """
        hosts = {name: host.init for name, host in lab.hosts.items()}
        addresses = {**addresses_of(topology), **staying}
        cidr, mtu = str(topology.underlay.cidr), topology.underlay.mtu
        return evolve(self, hosts=hosts, cidr=cidr, mtu=mtu, addresses=addresses)

    def without(self, removed: Collection[str]) -> LabState:
        """The same without hosts of these names."""
        hosts = {name: init for name, init in self.hosts.items() if name not in removed}
        addresses = {name: each for name, each in self.addresses.items() if name not in removed}
        return evolve(self, hosts=hosts, addresses=addresses)

    @property
    def lab_hosts(self) -> dict[str, LabHost]:
        """The hosts by name; the topology's come first."""
        return {name: LabHost(name, init) for name, init in self.hosts.items()}

    @property
    def whole(self) -> bool:
        """Whether `up` ended well and every host still runs."""
        return self.complete and all(init.alive for init in self.hosts.values())


class StateFolder:
    """The folder that holds a lab's state and logs."""

    def __init__(self, path: Path = FOLDER) -> None:
        self.path = path
        self._file = path / "lab.json"
        self._memory = path / "topology.yaml"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the lab against other processes while the block runs; this makes the folder.

        HostError if another process has the lock, or if a file cannot be written.
        """
        descriptor = self._lock()
        try:
            yield
        except OSError as error:  # for example, the disk is full
            raise HostError(one_line(error)) from error
        finally:
            os.close(descriptor)

    def _lock(self) -> int:
        """Lock the folder itself. The last process with the lock may have removed the folder."""
        while True:
            try:
                self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
                descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            except OSError as error:
                raise HostError(one_line(error)) from error
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), os.stat(self.path)):
                    return descriptor
            except BlockingIOError:
                os.close(descriptor)
                raise HostError(
                    "another dvr lab up, flows or down is at work; wait until it is done"
                ) from None
            except FileNotFoundError:
                pass
            os.close(descriptor)

    def read(self) -> LabState | None:
        """The state that was written last; None if there is none, or if it cannot be read."""
        try:
            document = json.loads(self._file.read_text())
            hosts = {name: Process(**process) for name, process in document.pop("hosts").items()}
            return LabState(**document, hosts=hosts)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def write(self, state: LabState) -> None:
        """Save `state`. A reader finds either the old state or the new one, never a part."""
        _replace(self._file, json.dumps(asdict(state), indent=1))

    def remember(self, text: str) -> None:
        """Save the text of the topology that the lab now has."""
        _replace(self._memory, text)

    def remembered(self) -> str:
        """The text of the topology that the lab was brought to last; empty if it is unknown."""
        try:
            return self._memory.read_text(encoding="utf-8")
        except (OSError, ValueError):
            return ""

    def log(self, service: str) -> Path:
        """The log of a service of the lab."""
        return self.path / f"{service}.log"

    @property
    def logs(self) -> list[Path]:
        """All logs that exist."""
        return sorted(self.path.glob("*.log"))

    def used(self) -> bool:
        """Whether the folder has anything of a lab."""
        return self.path.is_dir() and any(self.path.iterdir())

    def remove(self) -> None:
        """Remove the state and the logs."""
        shutil.rmtree(self.path, ignore_errors=True)


def _replace(file: Path, text: str) -> None:
    new = file.with_suffix(".new")
    new.write_text(text, encoding="utf-8")
    new.replace(file)
