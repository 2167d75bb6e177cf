"""What is wanted now: the topology and the flows, from their files; a bad save leaves the last good
in force.

The one place that knows where a topology comes from. It answers for values; who is connected is not
known here, but for where instances are.

An edit that moves instances is in force with them where they were, until they have arrived: first
for the host on which they are now, then for all. A host that they leave and that the edit removes
stays until nothing of them is there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache
from pathlib import Path

from attrs import evolve, field, frozen

from dvr_ryu.pipeline.compile.basis import Basis
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.switch.guard.identity import BridgeName, Peer, addresses_of, objection
from dvr_ryu.switch.places import Places, Stray
from dvr_ryu.topology.allocation.numbers import NoRoom
from dvr_ryu.topology.bridges import Plug, bridge_of
from dvr_ryu.topology.changes import TopologyChange, compare
from dvr_ryu.topology.loading import Declaration, load_declaration
from dvr_ryu.topology.spec.text_file import Unreadable
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

_Look = tuple[str, int, int, int]
_Signature = tuple[_Look, ...]


@frozen
class _Force:
    """What is in force: a topology for all hosts but for those that have another one already."""

    topology: Topology
    away: Mapping[str, str] = field(factory=dict)
    """The instances that it has on other hosts than the file says."""
    staying: frozenset[str] = frozenset()
    """The hosts that it has beside those of the file."""
    ahead: Mapping[str, Topology] = field(factory=dict)
    """Host → the topology in which instances that have just arrived are there."""
    then: _Step | None = None
    """What comes next, for all hosts."""


@frozen
class _Step:
    """What shall be in force, and what of a topology, that was in force before, it changes."""

    force: _Force
    before: Topology
    change: TopologyChange


@frozen
class _Read:
    """What files say, and what of it is in force at first."""

    declaration: Declaration
    program: Pipelines
    step: _Step
    differs: bool
    """Whether anything does not say what it said then."""


class Intent:
    """The topology file and the flows folder. Raises FileError or DvrError if either is bad at
    first.
    """

    def __init__(self, topology_file: Path, flows_folder: Path) -> None:
        self.topology_file = topology_file
        self.flows_folder = flows_folder
        self._seen = self._judged = self._program_of = self._signature()
        self._places = Places()
        self._reading = False
        self._take(load_declaration(topology_file), self._read_program())
        step = _step(self.topology, _Force(self.topology))
        self.program.compile(_flooded(step.force.topology))
        self._enforce(step)

    def _take(self, declaration: Declaration, program: Pipelines) -> None:
        self._declaration, self.program = declaration, program
        self.topology = declaration.topology

    def _enforce(self, step: _Step) -> None:
        self._force = force = step.force
        self._by_datapath_id = {
            number: BridgeName(host.name, bridge)
            for host in force.topology.hosts.values()
            for bridge, number in host.datapath_ids.items()
        }
        self._expected = Counter(
            address for host in force.topology.hosts.values() for address in addresses_of(host)
        )
        self._view = cache(lambda host: HostView(force.ahead.get(host, force.topology), host))
        # Both topologies are kept with it: a number that a new one might get would not do.
        self._changes: dict[tuple[int, int], tuple[Topology, Topology, TopologyChange]] = {}
        self._remember(step.before, (force.then or step).force.topology, step.change)

    def _read_program(self) -> Pipelines:
        # The folder may be a link that is turned meanwhile: all are read where it leads now.
        return load_pipelines(self.flows_folder.resolve())

    def reload(self, apart: Callable[[Callable[[], _Read]], _Read] = lambda read: read()) -> bool:
        """Load the files again if they were saved since; return whether what is wanted changed.

        A file must look the same in two calls before it is read: one that is being written is not.
        One that cannot be read is tried again in the next call.
        `apart` calls what it is given, which may take seconds and changes nothing here: in a thread
        of its own, so that others have their turns. Raises FileError or DvrError for a bad save,
        once; then all stays as it was.
        """
        now = self._signature()
        steady, self._seen = now == self._seen, now
        if not steady or now == self._judged:
            return False
        self._judged = now
        was, self._reading = self._force, True
        try:
            read = apart(lambda: self._read(was))
        except Unreadable:
            self._judged = ()
            raise
        finally:
            self._reading = False
        # Some bridges may have what only they had, or what was in force for a moment.
        mixed = was.then is not None or self._force is not was
        self._take(read.declaration, read.program)
        self._enforce(read.step)
        self._program_of = now
        # Ports may have come or gone after they were looked at, or were judged by the last file.
        self._places.news = True
        return read.differs or mixed

    def _read(self, was: _Force) -> _Read:
        declaration = load_declaration(self.topology_file, self._declaration)
        # The very same program tells bridges that only the topology was edited.
        kept = self._judged[1:] == self._program_of[1:]
        program = self.program if kept else self._read_program()
        step = _placed(declaration, *self._elsewhere(declaration), was.topology)
        program.compile(_flooded(step.force.topology))
        said = self.topology, was.topology, self.program.pipelines
        differs = said != (declaration.topology, step.force.topology, program.pipelines)
        return _Read(declaration, program, step, differs)

    # Instances on their way -----------------------------------------------------------------------

    def see_ports(self, name: BridgeName, ports: Collection[str]) -> None:
        """The ports of a bridge that are not shut; none if it is not connected any more."""
        if name.bridge == bridge_of(Plug.DEVICES):
            self._places.see(name.host, ports)

    @property
    def away(self) -> Mapping[str, str]:
        """The instances that flows lead to on another host than the file says → that host."""
        return self._force.away

    @property
    def ahead(self) -> set[BridgeName]:
        """The bridges that have what is wanted once instances have arrived, before all others."""
        pipelines = self.program.pipelines
        return {BridgeName(host, bridge) for host in self._force.ahead for bridge in pipelines}

    def follow_moves(self, apart: Callable[[Callable[[], _Step]], _Step]) -> bool:
        """Follow instances that have arrived, or turned out to be elsewhere, by one step; return
        whether what is wanted changed. `apart` is as for `reload`.
        """
        was = self._force
        if not (self._places.news or was.then):
            return False
        declaration = self._declaration
        away, staying = self._elsewhere(declaration)
        if was.then and _is_so(was.then.force, away, staying):
            self._enforce(was.then)
            return True
        if _is_so(was, away, staying) and not was.then:
            return False
        now = apart(lambda: _placed(declaration, away, staying, was.topology))
        if self._force is not was:  # an edit was taken meanwhile: look again
            self._places.news = True
            return False
        arrived = was.away.keys() - now.force.away.keys()
        if arrived and not was.then:
            hosts = {self.topology.instances[name].host for name in arrived}
            ahead = dict.fromkeys(hosts, now.force.topology)
            now = evolve(now, force=evolve(was, ahead=ahead, then=now))
        self._enforce(now)
        return True

    def _elsewhere(self, declaration: Declaration) -> tuple[dict[str, str], frozenset[str]]:
        """What it is that `_Force` has beside what is declared."""
        away = self._places.away(declaration.topology, declaration.departed)
        return away, self._places.staying(declaration.departed)

    def strays(self) -> Iterator[Stray]:
        """The ports of br-int that instances have left for good."""
        if self._reading:  # places are judged by what is not in force yet
            return iter(())
        return self._places.outlived(self._force.away, time.monotonic())

    def _signature(self) -> _Signature:
        files = [self.topology_file, *sorted(self.flows_folder.resolve().glob("*.flows"))]
        return tuple(_look(file) for file in files)

    def identify(self, description: str, datapath_id: int) -> BridgeName | None:
        """The bridge that describes itself as HOST/BRIDGE, or whose datapath id the topology
        pins.
        """
        host, _, bridge = description.partition("/")
        if host in self._force.topology.hosts and bridge in self.program.pipelines:
            return BridgeName(host, bridge)
        return self._by_datapath_id.get(datapath_id)

    def objection(self, name: BridgeName, peer: Peer) -> str | None:
        """Why a bridge that `identify` knows cannot be at this peer; None if it can."""
        return objection(peer, name, self._force.topology.hosts[name.host])

    def expected_from(self, address: str) -> int:
        """How many bridges may connect from an address."""
        return self._expected[address] * len(self.program.pipelines)

    def cookies(self) -> frozenset[int]:
        """The cookies that mark flows on a switch as ours."""
        return self.program.cookies

    def learned(self) -> frozenset[int]:
        """The cookies of flows that switches learn by themselves."""
        return self.program.learned

    def basis(self, name: BridgeName, ports: Mapping[str, int]) -> Basis:
        """What the flows of a bridge that `identify` knows are made from, given its ports."""
        return self.program.basis(name.bridge, self._view(name.host), ports)

    def change_between(self, before: Topology, after: Topology) -> TopologyChange:
        """What turned an earlier topology into a later one."""
        key = id(before), id(after)
        if key not in self._changes:
            self._remember(before, after, compare(before, after))
        return self._changes[key][2]

    def _remember(self, before: Topology, after: Topology, change: TopologyChange) -> None:
        self._changes[id(before), id(after)] = before, after, change


def _placed(
    declaration: Declaration, away: Mapping[str, str], staying: frozenset[str], before: Topology
) -> _Step:
    """A declaration with some instances still elsewhere; as it is, if there is no room for that."""
    try:
        force = _Force(declaration.with_hosts(away, staying), away, staying)
    except NoRoom:
        force = _Force(declaration.topology)
    return _step(before, force)


def _step(before: Topology, force: _Force) -> _Step:
    # Looked up and compared now, and once: every bridge will ask.
    force.topology.look_up()
    return _Step(force, before, compare(before, force.topology))


def _flooded(topology: Topology) -> set[int]:
    """To how many other hosts networks are flooded: the lengths of lists of ports in flows."""
    return {len(hosts) - 1 for hosts in topology.hosts_with.values() if hosts}


def _is_so(force: _Force, away: Mapping[str, str], staying: frozenset[str]) -> bool:
    return (force.away, force.staying) == (away, staying)


def _look(file: Path) -> _Look:
    """What tells whether a file was saved since: name, time, size, inode; zeros if it is gone."""
    try:
        stat = file.stat()
    except OSError:
        return str(file), 0, 0, 0
    return str(file), stat.st_mtime_ns, stat.st_size, stat.st_ino
