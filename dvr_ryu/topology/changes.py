"""Compare two topologies: the objects that were added, removed or changed. Pure.

The topologies are compared object by object, once for all hosts; this module does not know which
rows depend on an object: that is `row_changes`.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeVar

from attrs import frozen

from dvr_ryu.topology.model import Host, Port
from dvr_ryu.topology.topology import Topology

Key = TypeVar("Key")
Value = TypeVar("Value")


@frozen
class TopologyChange:
    """The difference. An object that changed is in `ports_removed` as it was and in `ports_added`
    as it is; others are named.
    """

    ports_removed: tuple[Port, ...]
    ports_added: tuple[Port, ...]
    hosts: frozenset[str]
    networks: frozenset[str]
    routers: frozenset[str]
    presence: frozenset[str]
    """The hosts that have other networks now, or other VLAN tags for them."""


_NOTHING = TopologyChange((), (), frozenset(), frozenset(), frozenset(), frozenset())


def compare(before: Topology, after: Topology) -> TopologyChange:
    """The change from `before` to `after`."""
    if before is after:
        return _NOTHING
    instances_removed, instances_added = _differing_ports(before.instances, after.instances)
    others_removed, others_added = _differing_ports(_others(before), _others(after))
    return TopologyChange(
        ports_removed=(*instances_removed, *others_removed),
        ports_added=(*instances_added, *others_added),
        hosts=_differing(_seen(before), _seen(after)),
        networks=_differing(before.networks, after.networks),
        routers=_differing(before.routers, after.routers),
        presence=_differing(before.local_vlans, after.local_vlans),
    )


def _seen(topology: Topology) -> Mapping[str, tuple[Host, str]]:
    """Each host with the tunnel to it, as other hosts see it."""
    devices = topology.tunnel_devices
    return {name: (host, devices[name]) for name, host in topology.hosts.items()}


def _differing(before: Mapping[str, Value], after: Mapping[str, Value]) -> frozenset[str]:
    return frozenset(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


def _differing_ports(
    before: Mapping[Key, Port], after: Mapping[Key, Port]
) -> tuple[list[Port], list[Port]]:
    """The ports of each topology without an equal port in the other."""
    removed = {key: port for key, port in before.items() if after.get(key) != port}
    added = [port for key, port in after.items() if key in removed or key not in before]
    return [*removed.values()], added


def _others(topology: Topology) -> dict[Hashable, Port]:
    """The ports beside the first cards. Several hosts may have one port."""
    ports = (*topology.more_cards, *topology.service_ports)
    return {(port.id, port.host): port for port in ports}
