"""Pairs of veth devices, one end of which is in a namespace of ours. Pure."""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.companion.resources.namespace import ROOT, namespace_key
from dvr_ryu.companion.resources.resource import Key, Resource


@frozen
class VethPair(Resource):
    """A pair of veth devices. `namespace` is one of ours; `peer_namespace` may be the host's own.

    The kernel ends it with a namespace, but later than it says: so it has no container.
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
        places = (namespace_key(self.namespace), namespace_key(self.peer_namespace))
        return tuple(place for place in places if place)


def instance_veth(namespace: str, card: str, tap: str) -> VethPair:
    """The pair between one of an instance's cards and its port on br-int."""
    return VethPair(namespace, card, ROOT, tap)


def port_veth(namespace: str, name: str) -> VethPair:
    """The pair between a device in a namespace and its port on br-int, of one name."""
    return VethPair(namespace, name, ROOT, name)
