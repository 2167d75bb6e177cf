"""Pairs of veth devices, one end of which is in a namespace of ours. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from dvr_ryu.companion.resources.namespace import ROOT, namespace_key
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.shell import ip, netns


@frozen
class VethPair(Resource):
    """A pair of veth devices. `namespace` is one of ours; `peer_namespace` may be the host's own.

    The kernel ends it with a namespace, but only after it reports that namespace's end: so it has
    no container.
    """

    kind = "veth"
    identity = ("namespace", "device", "peer_namespace", "peer")
    namespace: str
    device: str
    peer_namespace: str
    peer: str

    @property
    def after(self) -> tuple[Key, ...]:
        """The namespaces of both ends."""
        both = (namespace_key(self.namespace), namespace_key(self.peer_namespace))
        return tuple(namespace for namespace in both if namespace)

    def describe(self) -> str:
        """Add both ends, each in its namespace."""
        peer = f"{self.peer}{netns(self.peer_namespace)}"
        return f"ip link add {peer} type veth peer name {self.device}{netns(self.namespace)}"

    def remove_lines(self, host: str) -> Iterator[str]:
        """Remove one end; the other goes with it."""
        yield f"{ip(self.namespace)} link del {self.device}"


def instance_veth(namespace: str, card: str, tap: str) -> VethPair:
    """The pair between one of an instance's cards and its port on br-int."""
    return VethPair(namespace, card, ROOT, tap)


def port_veth(namespace: str, name: str) -> VethPair:
    """The pair between a device in a namespace and its port on br-int, of one name."""
    return VethPair(namespace, name, ROOT, name)
