"""What is wanted now: a topology and flows, by the last good inputs.

It computes values. It neither watches files nor knows which switches are connected; ports tell it
where instances are.

An edit that moves instances is in force with them where they were, until they have arrived: first
for the host on which they are now, then for all. A host that they leave and that the edit removes
stays until nothing of them is there.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache

from attrs import evolve, field, frozen

from dvr_ryu.pipeline.compile.basis import Basis
from dvr_ryu.source.inputs import InputReader, Inputs
from dvr_ryu.switch.guard.identity import BridgeName, Peer, addresses_of, objection
from dvr_ryu.switch.places import Places, Stray
from dvr_ryu.topology.allocation.numbers import NoRoom
from dvr_ryu.topology.bridges import Plug, bridge_of
from dvr_ryu.topology.changes import TopologyChange, compare
from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView


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
    """Inputs, and what of them is in force at first."""

    inputs: Inputs
    step: _Step
    differs: bool
    """Whether anything is wanted that was not, or the other way round."""


class DesiredState:
    """What the inputs ask for, followed through their edits."""

    def __init__(self, inputs: InputReader) -> None:
        """Raise DvrError if a flow is longer than OpenFlow allows."""
        self._inputs = inputs
        self._places = Places()
        self._reading = False
        self._take(inputs.taken)
        step = _step(self.topology, _Force(self.topology))
        self.pipelines.compile(_flooded(step.force.topology))
        self._enforce(step)

    def _take(self, inputs: Inputs) -> None:
        self._inputs.take(inputs)
        self._declaration, self.pipelines = inputs.declaration, inputs.pipelines
        self.topology = inputs.declaration.topology

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

    def reload(self, apart: Callable[[Callable[[], _Read]], _Read] = lambda read: read()) -> bool:
        """Read the inputs again if they changed since; return whether what is wanted changed.

        `apart` calls its argument, which may take seconds and changes nothing here: in a thread of
        its own, so that others have their turns. Raises FileError or DvrError for a bad save, once;
        then all stays as it was.
        """
        if not self._inputs.due():
            return False
        was, self._reading = self._force, True
        try:
            read = apart(lambda: self._read(was))
        finally:
            self._reading = False
        # Some bridges may have what only they had, or what was in force for a moment.
        mixed = was.then is not None or self._force is not was
        self._take(read.inputs)
        self._enforce(read.step)
        # Ports may have come or gone after they were looked at, or were judged by the last file.
        self._places.news = True
        return read.differs or mixed

    def _read(self, was: _Force) -> _Read:
        inputs = self._inputs.read()
        declaration, pipelines = inputs.declaration, inputs.pipelines
        step = _placed(declaration, *self._elsewhere(declaration), was.topology)
        pipelines.compile(_flooded(step.force.topology))
        before = self.topology, was.topology, self.pipelines.pipelines
        differs = before != (declaration.topology, step.force.topology, pipelines.pipelines)
        return _Read(inputs, step, differs)

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
        pipelines = self.pipelines.pipelines
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

    def identify(self, description: str, datapath_id: int) -> BridgeName | None:
        """The bridge that describes itself as HOST/BRIDGE, or whose datapath id the topology
        pins.
        """
        host, _, bridge = description.partition("/")
        if host in self._force.topology.hosts and bridge in self.pipelines.pipelines:
            return BridgeName(host, bridge)
        return self._by_datapath_id.get(datapath_id)

    def objection(self, name: BridgeName, peer: Peer) -> str | None:
        """Why a bridge that `identify` knows cannot be at this peer; None if it can."""
        return objection(peer, name, self._force.topology.hosts[name.host])

    def expected_from(self, address: str) -> int:
        """How many bridges may connect from an address."""
        return self._expected[address] * len(self.pipelines.pipelines)

    def cookies(self) -> frozenset[int]:
        """The cookies that mark flows on a switch as ours."""
        return self.pipelines.cookies

    def learned(self) -> frozenset[int]:
        """The cookies of flows that switches learn by themselves."""
        return self.pipelines.learned

    def basis(self, name: BridgeName, ports: Mapping[str, int]) -> Basis:
        """What the flows of a bridge that `identify` knows are made from, given its ports."""
        return self.pipelines.basis(name.bridge, self._view(name.host), ports)

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
