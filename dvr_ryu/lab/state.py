"""The lab's state folder: which lab is up. One lab at a time, one change of it at a time.

The file is only a memory. What really runs is found by its marker, so that a file that is lost, cut
short or out of date leaves nothing behind.
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

from dvr_ryu.errors import HostError
from dvr_ryu.lab.bare import Lab, addresses_of
from dvr_ryu.lab.host import LabHost
from dvr_ryu.lab.process import Process
from dvr_ryu.topology.topology import Topology

FOLDER = Path("/run/dvr_lab")
"""Where the lab of this machine is remembered, for root only; its logs are here, too."""


@frozen
class LabState:
    """A lab as it was made. `started` is local time in ISO 8601; `complete` once `up` was done.

    `underlay` and `addresses`, of the hosts on it, are what only a new lab, or a new host, can have
    otherwise.
    """

    topology: str
    started: str
    complete: bool = False
    hosts: Mapping[str, Process] = field(factory=dict, eq=dict)
    underlay: str = ""
    addresses: Mapping[str, str] = field(factory=dict, eq=dict)

    @classmethod
    def new(cls, topology: Path) -> LabState:
        """The state of a lab that is about to be made from this file."""
        return cls(str(topology), datetime.now().isoformat(sep=" ", timespec="seconds"))

    def of(self, lab: Lab, topology: Topology, staying: Mapping[str, str] = {}) -> LabState:
        """The same with the hosts that were made for a topology, and others `staying`, by their
        addresses.
        """
        hosts = {name: host.init for name, host in lab.hosts.items()}
        addresses = {**addresses_of(topology), **staying}
        return evolve(self, hosts=hosts, underlay=str(topology.underlay), addresses=addresses)

    def without(self, gone: Collection[str]) -> LabState:
        """The same without hosts of these names."""
        hosts = {name: init for name, init in self.hosts.items() if name not in gone}
        addresses = {name: each for name, each in self.addresses.items() if name not in gone}
        return evolve(self, hosts=hosts, addresses=addresses)

    @property
    def lab_hosts(self) -> dict[str, LabHost]:
        """Its hosts by name, those of the topology first."""
        return {name: LabHost(name, init) for name, init in self.hosts.items()}

    @property
    def whole(self) -> bool:
        """Whether `up` came to its end and every host still runs."""
        return self.complete and all(init.alive for init in self.hosts.values())


class StateFolder:
    """The folder that holds a lab's state and logs."""

    def __init__(self, path: Path = FOLDER) -> None:
        self.path = path
        self._file = path / "lab.json"
        self._memory = path / "topology.yaml"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep out who else would change the lab; HostError if somebody does. Makes the folder."""
        descriptor = self._lock()
        try:
            yield
        finally:
            os.close(descriptor)

    def _lock(self) -> int:
        """Lock the folder itself; whoever had it before may have removed it meanwhile."""
        while True:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
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
        """The state that was written last; None if there is none, or none that can be read."""
        try:
            words = json.loads(self._file.read_text())
            hosts = {name: Process(**process) for name, process in words.pop("hosts").items()}
            return LabState(**words, hosts=hosts)
        except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, state: LabState) -> None:
        """Remember `state`; a reader finds the old one or the new one, whole."""
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(asdict(state), indent=1))
        new.replace(self._file)

    def remember(self, text: str) -> None:
        """The lab is now as this file says."""
        self._memory.write_text(text)

    def remembered(self) -> str:
        """What the file said that the lab was brought to last."""
        return self._memory.read_text()

    def log(self, service: str) -> Path:
        """Where a program of the lab writes."""
        return self.path / f"{service}.log"

    @property
    def logs(self) -> list[Path]:
        """The logs that there are."""
        return sorted(self.path.glob("*.log"))

    def used(self) -> bool:
        """Whether anything of a lab is here."""
        return self.path.is_dir() and any(self.path.iterdir())

    def remove(self) -> None:
        """Forget the lab."""
        shutil.rmtree(self.path, ignore_errors=True)
