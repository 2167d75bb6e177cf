"""The owners of namespaces, for people: the names of most namespaces are UUIDs. Pure."""

from __future__ import annotations

from dvr_ryu.companion.desired.dhcp import dhcp_namespace
from dvr_ryu.companion.desired.fip import fip_namespace
from dvr_ryu.topology.model import instance_namespace
from dvr_ryu.topology.topology import Topology


def namespace_owner(topology: Topology, namespace: str) -> str | None:
    """The owner of one namespace; None if it is none of the topology's."""
    instance = namespace.removeprefix(instance_namespace(""))
    if instance != namespace:
        return f"instance {instance}" if instance in topology.instances else None
    return _owners(topology).get(namespace)


def namespace_owners(topology: Topology) -> dict[str, str]:
    """Namespace → owner: "router r1"."""
    instances = {instance_namespace(name): f"instance {name}" for name in topology.instances}
    return {**instances, **_owners(topology)}


def _owners(topology: Topology) -> dict[str, str]:
    """The owners of all namespaces but the instances', of which there may be very many."""
    owners: dict[str, str] = {}
    for name, network in topology.networks.items():
        owners[dhcp_namespace(network)] = owners[fip_namespace(network)] = f"network {name}"
    for name, router in topology.routers.items():
        owners[router.namespace] = owners[router.snat_namespace] = f"router {name}"
    return owners
