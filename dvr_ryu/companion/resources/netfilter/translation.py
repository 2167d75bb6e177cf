"""Translated connections: the kernel keeps them as they began. Pure."""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.companion.resources.namespace import InNamespace
from dvr_ryu.companion.resources.resource import Key


@frozen
class Translation(InNamespace):
    """Connections of `outer` are those of `inner`, on all ports or on those named.

    A connection keeps the translation that it began with. So to make this resource, or to unmake
    it, is to forget the connections that began under other rules.
    """

    kind = "translation"
    identity = ("namespace", "outer", "inner", "protocol", "outer_ports", "inner_ports")
    outlives_container = True
    unmade_last = True
    namespace: str
    outer: str
    inner: str
    protocol: str = ""
    outer_ports: str = ""
    inner_ports: str = ""

    @property
    def after(self) -> tuple[Key, ...]:
        """The rules that translate."""
        chains = ("neutron-l3-agent-PREROUTING", "neutron-l3-agent-float-snat")
        return tuple(("chain", self.namespace, "nat", name) for name in chains)
