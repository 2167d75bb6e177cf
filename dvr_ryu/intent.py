"""What is wanted now: the topology and the flows, from their files; a bad save leaves the last good
in force.

The one place that knows where a topology comes from. It answers for values; who is connected is not
known here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from dvr_ryu.pipeline.basis import Basis
from dvr_ryu.pipeline.program import Program, load_program
from dvr_ryu.switch.bridge import BridgeName
from dvr_ryu.topology.changes import TopologyChange, compare
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.model import Topology
from dvr_ryu.topology.view import HostView

_Look = tuple[str, int, int, int]
_Signature = tuple[_Look, ...]
_Read = tuple[Topology, Program, TopologyChange]


class Intent:
    """The topology file and the flows folder. Raises FileError or DvrError if either is bad at
    first.
    """

    def __init__(self, topology_file: Path, flows_folder: Path) -> None:
        self.topology_file = topology_file
        self.flows_folder = flows_folder
        self._seen = self._judged = self._program_of = self._signature()
        self._take(load_topology(topology_file), self._read_program())

    def _take(self, topology: Topology, program: Program) -> None:
        self.topology, self.program = topology, program
        self._view = cache(lambda host: HostView(topology, host))
        # The earlier topology is kept with it: a number that a new one might get would not do.
        self._changes: dict[int, tuple[Topology, TopologyChange]] = {}
        self._by_datapath_id = {
            number: BridgeName(host.name, bridge)
            for host in topology.hosts.values()
            for bridge, number in host.datapath_ids.items()
        }

    def _read_program(self) -> Program:
        # The folder may be a link that is turned meanwhile: all are read where it leads now.
        program = load_program(self.flows_folder.resolve())
        program.compile()
        return program

    def reload(self, apart: Callable[[Callable[[], _Read]], _Read] = lambda read: read()) -> bool:
        """Load the files again if they were saved since; return whether what is wanted changed.

        A file must look the same in two calls before it is read: one that is being written is not.
        `apart` calls what it is given, which may take seconds and changes nothing here: in a thread
        of its own, so that others have their turns. Raises FileError or DvrError for a bad save,
        once; then all stays as it was.
        """
        now = self._signature()
        steady, self._seen = now == self._seen, now
        if not steady or now == self._judged:
            return False
        self._judged = now
        before, pipelines = self.topology, self.program.pipelines
        topology, program, change = apart(self._read)
        self._take(topology, program)
        self._program_of = now
        self._changes[id(before)] = before, change
        return (before, pipelines) != (topology, program.pipelines)

    def _read(self) -> _Read:
        topology = load_topology(self.topology_file)
        # The very same program tells bridges that only the topology was edited.
        kept = self._judged[1:] == self._program_of[1:]
        program = self.program if kept else self._read_program()
        # Now, and once: every bridge will ask.
        return topology, program, compare(self.topology, topology)

    def _signature(self) -> _Signature:
        files = [self.topology_file, *sorted(self.flows_folder.resolve().glob("*.flows"))]
        return tuple(_look(file) for file in files)

    def identify(self, description: str, datapath_id: int) -> BridgeName | None:
        """The bridge that describes itself as HOST/BRIDGE, or whose datapath id the topology
        pins.
        """
        host, _, bridge = description.partition("/")
        if host in self.topology.hosts and bridge in self.program.pipelines:
            return BridgeName(host, bridge)
        return self._by_datapath_id.get(datapath_id)

    def cookies(self) -> frozenset[int]:
        """The cookies that mark flows on a switch as ours."""
        return self.program.cookies

    def learned(self) -> frozenset[int]:
        """The cookies of flows that switches learn by themselves."""
        return self.program.learned

    def basis(self, name: BridgeName, ports: Mapping[str, int]) -> Basis:
        """What the flows of a bridge that `identify` knows are made from, given its ports."""
        return self.program.basis(name.bridge, self._view(name.host), ports)

    def change_since(self, before: Topology) -> TopologyChange:
        """What turned an earlier topology into today's."""
        if id(before) not in self._changes:
            self._changes[id(before)] = before, compare(before, self.topology)
        return self._changes[id(before)][1]


def _look(file: Path) -> _Look:
    """What tells whether a file was saved since: name, time, size, inode; zeros if it is gone."""
    try:
        stat = file.stat()
    except OSError:
        return str(file), 0, 0, 0
    return str(file), stat.st_mtime_ns, stat.st_size, stat.st_ino
