"""What differs between two topologies: the objects that came, went or changed. Pure.

The topologies are compared object by object, once for all hosts; nothing here knows what depends on
an object. That is `row_changes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from attrs import frozen

from dvr_ryu.topology.model import Host, Port
from dvr_ryu.topology.topology import Topology

Value = TypeVar("Value")


@frozen
class TopologyChange:
    """The difference. An object that changed is in `ports_gone` as it was and in `ports_come` as it
    is; others are named.
    """

    ports_gone: tuple[Port, ...]
    ports_come: tuple[Port, ...]
    hosts: frozenset[str]
    networks: frozenset[str]
    routers: frozenset[str]
    presence: frozenset[str]
    """The hosts that have other networks now, or other VLAN tags for them."""


def compare(before: Topology, after: Topology) -> TopologyChange:
    """What turns `before` into `after`."""
    return TopologyChange(
        ports_gone=_ports_without(before, after),
        ports_come=_ports_without(after, before),
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


def _ports_without(topology: Topology, other: Topology) -> tuple[Port, ...]:
    """The ports of a topology that are not, exactly so, in another one."""
    instances, others = other.instances, {*other.more_cards, *other.service_ports}
    return (
        *(port for name, port in topology.instances.items() if instances.get(name) != port),
        *(port for port in topology.more_cards if port not in others),
        *(port for port in topology.service_ports if port not in others),
    )
