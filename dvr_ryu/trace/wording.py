"""Words for people about the nodes of a way. Pure."""

from __future__ import annotations

from dvr_ryu.companion.desired.owners import namespace_owner
from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.topology.topology import Topology


def owner(topology: Topology, host: str, namespace: str) -> str:
    """The object whose namespace it is: "instance vm-68", "host h1"."""
    if namespace == ROOT:
        return f"host {host}"
    return namespace_owner(topology, namespace) or f"namespace {namespace}"


_PARTS = {"snat": "SNAT of ", "fip": "floating addresses of ", "qdhcp": "DHCP server of "}
"""The beginning of a namespace's name → its part of the object, where that has several."""


def described(topology: Topology, host: str, namespace: str) -> str:
    """The object or its part: "instance vm-68", "SNAT of router r1"."""
    return _PARTS.get(namespace.partition("-")[0], "") + owner(topology, host, namespace)


def on_host(topology: Topology, host: str, namespace: str) -> str:
    """The same with its host, if that is not the object itself: "router r1 on h1"."""
    name = described(topology, host, namespace)
    return name if namespace == ROOT else f"{name} on {host}"
