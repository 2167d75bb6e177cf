"""Find the hosts of moving instances, and the topology in force meanwhile. Pure.

An edit declares an instance on another host. Until it has arrived there, the topology in force has
it on its old host: first for all hosts, then for all but the host on which it has arrived. A host
that the edit removes is in force as long as any part of an instance is on it.

Controller and companion both apply this; each observes arrivals itself. This module does not read,
send or wait.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Set
from typing import NamedTuple, Protocol

from attrs import evolve, field, frozen

from dvr_ryu.topology.allocation.numbers import NoRoom
from dvr_ryu.topology.changes import TopologyChange, compare
from dvr_ryu.topology.model import PLUGGED, Port
from dvr_ryu.topology.spec.declaration import HostSpec
from dvr_ryu.topology.topology import Topology


@frozen
class Placement:
    """The differences of a topology in force from the declared one while instances move."""

    moving: Mapping[str, str] = field(factory=dict)
    """Instance → the host on which it still is, which is not the declared one."""
    retained: frozenset[str] = frozenset()
    """Hosts that are no longer declared, and that instances have not left altogether."""
    roaming: Mapping[str, str] = field(factory=dict)
    """Roaming instance → the host on which it is plugged in."""


AS_DECLARED = Placement()
NOWHERE: Mapping[str, str] = {}


class Declared(Protocol):
    """The interface of a declaration that this module uses."""

    topology: Topology
    """Every instance is where it is declared."""

    @property
    def departed(self) -> Collection[str]:
        """The hosts that are no longer declared, and that a topology may still have."""

    def placed(self, placement: Placement) -> Topology:
        """The topology with this placement. Raise NoRoom if numbers run out then."""


def in_force(declaration: Declared, placement: Placement) -> tuple[Topology, Placement]:
    """The topology of a declaration with this placement; as declared, if numbers run out by it."""
    try:
        return declaration.placed(placement), placement
    except NoRoom:
        return declaration.topology, AS_DECLARED


# The moves of an edit -----------------------------------------------------------------------------


def moved(before: Topology, after: Topology) -> dict[str, str]:
    """Instance that an edit moves and does not change otherwise → its old host."""
    found: dict[str, str] = {}
    cards, earlier = _cards(after), _cards(before)
    for name, first in after.instances.items():
        old = before.instances.get(name)
        if first.guest == PLUGGED:
            continue  # others move it
        if old and old.host != first.host and _as_guest(earlier[name]) == _as_guest(cards[name]):
            found[name] = old.host
    return found


def arriving(host: str, before: Topology, after: Topology) -> set[str]:
    """The instances that an edit brings to a host from another."""
    return {name for name in moved(before, after) if after.instances[name].host == host}


def departed(before: Mapping[str, HostSpec], now: Mapping[str, HostSpec]) -> dict[str, HostSpec]:
    """The hosts that a file no longer has, as they were, without their services for other hosts. A
    host is left out if another host has one of its numbers now: the two cannot be in one topology.
    """
    taken = {number for host in now.values() for number in _own_numbers(host)}
    return {
        name: evolve(host, snat=False)
        for name, host in before.items()
        if name not in now and not taken & _own_numbers(host)
    }


def _own_numbers(host: HostSpec) -> set[object]:
    """The numbers that no two hosts may share."""
    return {host.address, *host.datapath_ids.values(), *([host.dvr_mac] if host.dvr_mac else [])}


def _cards(topology: Topology) -> dict[str, list[Port]]:
    cards: dict[str, list[Port]] = {name: [] for name in topology.instances}
    for card in topology.cards:
        cards[card.name].append(card)
    return cards


def _as_guest(cards: list[Port]) -> list[Port]:
    """The cards as the instance itself sees them."""
    return [evolve(card, host="", ofport=0) for card in cards]


# As one host sees it ------------------------------------------------------------------------------


@frozen
class Retained:
    """The parts of `before` that a host retains until instances have arrived on other hosts."""

    devices: Mapping[str, tuple[str, ...]]
    """Instance that leaves this host → the ports of its cards on br-int."""
    tunnels: Mapping[str, str]
    """Host that an instance leaves, and that is no longer declared → the port of br-tun to it."""
    before: Topology = field(eq=False)

    def __str__(self) -> str:
        until = {"its ports are shut": [*self.devices], "no flow leads there": [*self.tunnels]}
        return "; ".join(f"{', '.join(its)} until {what}" for what, its in until.items() if its)

    def placement(self, host: str) -> Placement:
        """The placement for the topology in force on the host."""
        return Placement(dict.fromkeys(self.devices, host))

    def still(self, up: Set[str], used: Set[str]) -> Retained | None:
        """The parts that the host still retains if these ports of br-int are up, and flows use
        these ports of br-tun.
        """
        devices = {name: its for name, its in self.devices.items() if up & {*its}}
        tunnels = {host: device for host, device in self.tunnels.items() if device in used}
        return evolve(self, devices=devices, tunnels=tunnels) if devices or tunnels else None


def retained(host: str, before: Topology, declaration: Declared) -> Retained | None:
    """The parts that an edit removes from a host and that the host retains for a while."""
    gone = declaration.departed
    if host not in before.hosts or host not in {*declaration.topology.hosts, *gone}:
        return None
    went = moved(before, declaration.topology)
    devices: dict[str, tuple[str, ...]] = {}
    for card in before.cards:
        if went.get(card.name) == host:
            devices[card.name] = (*devices.get(card.name, ()), card.device)
    others = {*went.values()} & {*gone} - {host}
    tunnels = {each: before.tunnel_devices[each] for each in sorted(others)}
    return Retained(devices, tunnels, before) if devices or tunnels else None


# As the ports of all hosts show it ----------------------------------------------------------------


class LeftPort(NamedTuple):
    """A port of an instance on the br-int of a host on which the instance is not declared."""

    host: str
    device: str


@frozen
class Observation:
    """The hosts of instances by their ports, and the ports that they leave."""

    placement: Placement = AS_DECLARED
    left: Mapping[LeftPort, str] = field(factory=dict)
    """Port that its instance leaves, or has left → the instance."""


def observe(
    topology: Topology,
    departed: Collection[str],
    ports: Mapping[str, Set[str]],
    last: Mapping[str, str] = NOWHERE,
) -> Observation:
    """Find the instances of a declared topology by the ports of br-int on each host. Hosts that
    have `departed` from the topology may have instances, too.

    An instance is still on another host if it has a port there and lacks one on its declared host.
    `last` are the last known hosts of roaming instances, or those that they have just announced.
    """
    cards = {card.device: card for card in topology.cards if card.guest != PLUGGED}
    left = {
        LeftPort(host, device): cards[device].name
        for host, devices in ports.items()
        for device in devices & cards.keys()
        if cards[device].host != host
    }
    elsewhere = set(left.values())
    lacking = {
        card.name
        for card in cards.values()
        if card.name in elsewhere and card.device not in ports.get(card.host, ())
    }
    moving = {
        name: port.host
        for port, name in sorted(left.items())
        if (port.host in topology.hosts or port.host in departed) and name in lacking
    }
    retained = frozenset(port.host for port in left if port.host in departed)
    return Observation(Placement(moving, retained, dict(_roaming(topology, ports, last))), left)


def _roaming(
    topology: Topology, ports: Mapping[str, Set[str]], last: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Each roaming instance that is plugged in, with its host: the last known one, if it has a port
    there; else that with most of its ports.
    """
    devices: dict[str, set[str]] = {}
    for card in topology.roaming:
        devices.setdefault(card.name, set()).add(card.device)
    for name, its in devices.items():
        counts = {host: len(its & ports.get(host, frozenset())) for host in topology.hosts}
        host = last.get(name, "")
        if not counts.get(host):
            host = min(topology.hosts, key=lambda each: (-counts[each], each))
        if counts[host]:
            yield name, host


# The topologies in force, one after the other -----------------------------------------------------


@frozen
class InForce:
    """A topology for all hosts, but for those that have the next one already."""

    topology: Topology
    placement: Placement = AS_DECLARED
    early: Mapping[str, Topology] = field(factory=dict)
    """Host on which instances have just arrived → the topology that has them there."""
    next: Transition | None = None
    """The next step, once the early hosts have their flows."""


@frozen
class Transition:
    """A step from the topology that was in force to the one that is in force next."""

    result: InForce
    before: Topology
    change: TopologyChange
    """The change from `before` to `after`."""

    @property
    def after(self) -> Topology:
        """The topology that all hosts will have."""
        return self.result.next.after if self.result.next else self.result.topology


def transition(before: Topology, declaration: Declared, placement: Placement) -> Transition:
    """From the topology `before` to a declaration with this placement. Takes long if it is large.

    It computes now, once, all values that bridges need of the topology.
    """
    topology, placement = in_force(declaration, placement)
    topology.look_up()
    return Transition(InForce(topology, placement), before, compare(before, topology))


def early_hosts_first(was: InForce, step: Transition, declared: Topology) -> Transition:
    """The same step, or one before it: if instances have arrived, their declared hosts get the new
    topology before all others.
    """
    arrived = was.placement.moving.keys() - step.result.placement.moving.keys()
    roamed = step.result.placement.roaming.items() - was.placement.roaming.items()
    if was.next or not (arrived or roamed):
        return step
    hosts = {declared.instances[name].host for name in arrived} | {host for _, host in roamed}
    early = dict.fromkeys(hosts, step.after)
    return evolve(step, result=evolve(was, early=early, next=step))
