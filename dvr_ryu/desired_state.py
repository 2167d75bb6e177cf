"""Compute the desired state, a topology and flows, from the last good inputs.

It does not watch files or know which switches are connected. It finds instances by ports.

While instances move, `topology.placement` decides the topology in force.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cache

from attrs import frozen

from dvr_ryu.pipeline.compile.basis import Basis
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.source.inputs import InputReader, Inputs
from dvr_ryu.switch.guard.identity import BridgeName, Peer, addresses_of, objection
from dvr_ryu.switch.instance_ports import InstancePorts
from dvr_ryu.topology.bridges import Plug, bridge_of
from dvr_ryu.topology.changes import TopologyChange, compare
from dvr_ryu.topology.loading import Declaration
from dvr_ryu.topology.placement import (
    AS_DECLARED,
    InForce,
    LeftPort,
    Placement,
    Transition,
    early_hosts_first,
    transition,
)
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView


@frozen
class _Read:
    """Inputs, and their part that is in force at first."""

    inputs: Inputs
    step: Transition
    differs: bool
    """Whether the desired state differs from the one before."""


class DesiredState:
    """The desired state by the inputs, through their edits."""

    def __init__(self, inputs: InputReader) -> None:
        """Raise DvrError if a flow is longer than OpenFlow allows."""
        self._inputs = inputs
        self._ports = InstancePorts()
        self._reading = False
        step = transition(self.topology, self._declaration, AS_DECLARED)
        self.pipelines.compile(_flooded(self.topology))
        self._enforce(step)

    @property
    def inputs(self) -> Inputs:
        """The inputs that are in force."""
        return self._inputs.taken

    @property
    def topology(self) -> Topology:
        """The declared topology."""
        return self._declaration.topology

    @property
    def pipelines(self) -> Pipelines:
        """The pipelines of all bridges."""
        return self._inputs.taken.pipelines

    @property
    def _declaration(self) -> Declaration:
        return self._inputs.taken.declaration

    def _enforce(self, step: Transition) -> None:
        self._in_force = result = step.result
        self._by_datapath_id = {
            number: BridgeName(host.name, bridge)
            for host in result.topology.hosts.values()
            for bridge, number in host.datapath_ids.items()
        }
        self._expected = Counter(
            address for host in result.topology.hosts.values() for address in addresses_of(host)
        )
        self._view = cache(lambda host: HostView(result.early.get(host, result.topology), host))
        # The topologies stay referred to: an id() may be used again for another object.
        self._changes: dict[tuple[int, int], tuple[Topology, Topology, TopologyChange]] = {}
        self._remember(step.before, step.after, step.change)

    def reload(self, apart: Callable[[Callable[[], _Read]], _Read] = lambda read: read()) -> bool:
        """Read the inputs again if they have changed; return whether the desired state changed.

        `apart` calls its argument, which may take seconds and changes nothing here: the controller
        runs it in a thread, so that greenlets get their turns. Raises FileError or DvrError for a
        bad save, once; then nothing changes.
        """
        if not self._inputs.due():
            return False
        was, self._reading = self._in_force, True
        try:
            read = apart(lambda: self._read(was))
        finally:
            self._reading = False
        # Some bridges may have an early topology, or one that was in force for a moment.
        mixed = was.next is not None or self._in_force is not was
        self._inputs.take(read.inputs)
        self._enforce(read.step)
        # Ports may have come or gone since, or were compared with the last declaration.
        self._ports.news = True
        return read.differs or mixed

    def _read(self, was: InForce) -> _Read:
        inputs = self._inputs.read()
        declaration, pipelines = inputs.declaration, inputs.pipelines
        step = transition(was.topology, declaration, self._placement(declaration))
        pipelines.compile(_flooded(step.after))
        before = self.topology, was.topology, self.pipelines.by_bridge
        differs = before != (declaration.topology, step.after, pipelines.by_bridge)
        return _Read(inputs, step, differs)

    # Instances on their way -----------------------------------------------------------------------

    def devices(self, name: BridgeName) -> Mapping[int, str]:
        """OpenFlow port number → the device of a plugged instance for which the port stands."""
        if name.bridge != bridge_of(Plug.DEVICES):
            return {}
        plugged = self.topology.plugged
        here = (card for card in plugged if card.roams or card.host == name.host)
        return {card.ofport: card.device for card in here}

    def see_ports(self, name: BridgeName, ports: Collection[str]) -> None:
        """Take the ports of a bridge that are not shut; none if it is not connected any more."""
        if name.bridge == bridge_of(Plug.DEVICES):
            self._ports.see(name.host, ports)

    @property
    def plugged(self) -> dict[str, list[str]]:
        """Instance that others plug in → the hosts on which one of its ports is plugged in."""
        found: dict[str, list[str]] = {}
        for card in self.topology.plugged:
            known = found.get(card.name, [])
            found[card.name] = sorted({*known, *self._ports.hosts_of(card.device)})
        return found

    def announced(self, name: BridgeName, number: int) -> str | None:
        """Take a packet from a port of a bridge: a roaming instance is there now. Return the
        instance; None if the packet tells nothing new.
        """
        device = self.devices(name).get(number)
        for card in self.topology.roaming:
            if card.device == device and self._ports.announced(card.name, name.host):
                return card.name
        return None

    @property
    def moving(self) -> Mapping[str, str]:
        """Instance to which flows lead on another than its declared host → that host."""
        return self._in_force.placement.moving

    @property
    def early_bridges(self) -> set[BridgeName]:
        """The bridges that have the flows to instances which have arrived before all others."""
        pipelines = self.pipelines.by_bridge
        return {BridgeName(host, bridge) for host in self._in_force.early for bridge in pipelines}

    def follow_moves(self, apart: Callable[[Callable[[], Transition]], Transition]) -> bool:
        """Follow instances that have arrived, or are seen on other hosts, by one step; return
        whether the desired state changed. `apart` is as for `reload`.
        """
        was = self._in_force
        if not (self._ports.news or was.next):
            return False
        declaration = self._declaration
        placement = self._placement(declaration)
        if was.next and was.next.result.placement == placement:
            self._enforce(was.next)
            return True
        if was.placement == placement and not was.next:
            return False
        step = apart(lambda: transition(was.topology, declaration, placement))
        if self._in_force is not was:  # an edit came meanwhile: look again
            self._ports.news = True
            return False
        self._enforce(early_hosts_first(was, step, self.topology))
        return True

    def _placement(self, declaration: Declaration) -> Placement:
        return self._ports.placement(declaration.topology, declaration.departed)

    def ports_to_shut(self) -> Iterator[LeftPort]:
        """The ports of br-int that instances have left for good."""
        if self._reading:  # ports are compared with a declaration that is not in force yet
            return iter(())
        return self._ports.to_shut(self.moving, time.monotonic())

    def identify(self, description: str, datapath_id: int) -> BridgeName | None:
        """The bridge that describes itself as HOST/BRIDGE, or whose datapath id the topology
        pins.
        """
        host, _, bridge = description.partition("/")
        if host in self._in_force.topology.hosts and bridge in self.pipelines.by_bridge:
            return BridgeName(host, bridge)
        return self._by_datapath_id.get(datapath_id)

    def objection(self, name: BridgeName, peer: Peer) -> str | None:
        """The reason why a bridge that `identify` knows cannot be at this peer; None if it can."""
        return objection(peer, name, self._in_force.topology.hosts[name.host])

    def expected_from(self, address: str) -> int:
        """The number of bridges that may connect from an address."""
        return self._expected[address] * len(self.pipelines.by_bridge)

    def cookies(self) -> frozenset[int]:
        """The cookies that mark flows on a switch as ours."""
        return self.pipelines.cookies

    def learned(self) -> frozenset[int]:
        """The cookies of flows that switches learn by themselves."""
        return self.pipelines.learned

    def basis(self, name: BridgeName, ports: Mapping[str, int]) -> Basis:
        """The basis of the flows of a bridge that `identify` knows, if it has these ports."""
        return self.pipelines.basis(name.bridge, self._view(name.host), ports)

    def change_between(self, before: Topology, after: Topology) -> TopologyChange:
        """The change from an earlier topology to a later one."""
        key = id(before), id(after)
        if key not in self._changes:
            self._remember(before, after, compare(before, after))
        return self._changes[key][2]

    def _remember(self, before: Topology, after: Topology, change: TopologyChange) -> None:
        self._changes[id(before), id(after)] = before, after, change


def _flooded(topology: Topology) -> set[int]:
    """The lengths of lists of ports in flows: to how many other hosts networks are flooded."""
    return {len(hosts) - 1 for hosts in topology.hosts_with.values() if hosts}
