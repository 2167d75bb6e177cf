"""Rules of policy routing: ours, and those that the kernel makes with a namespace. Pure."""

from __future__ import annotations

from attrs import Factory, field, frozen

from dvr_ryu.companion.resources.namespace import InNamespace
from dvr_ryu.companion.resources.resource import Key
from dvr_ryu.companion.resources.routing.iproute2 import OfIproute2
from dvr_ryu.companion.resources.routing.tables import NAMES
from dvr_ryu.topology.family import Family


def _bare(source: str | None) -> str | None:
    """Return a prefix as ip prints it: a single address without its length."""
    return source.removesuffix(f"/{Family.of(source).bits}") if source else None


def _family(rule: Rule) -> Family:
    return Family.of(rule.source)


@frozen
class Rule(OfIproute2, InNamespace):
    """`table` routes packets from `source`, or those that enter by the device `iif`. Without a
    source, any family except IPv4 must be explicit.
    """

    kind = "rule"
    identity = ("namespace", "priority", "table", "source", "iif", "family")
    ip_object = "rule"
    namespace: str
    priority: int
    table: int
    source: str | None = field(default=None, converter=_bare)
    iif: str | None = None
    after: tuple[Key, ...] = field(default=(), eq=False, repr=False)
    family: Family = field(default=Factory(_family, takes_self=True), kw_only=True)

    @property
    def ip_arguments(self) -> str:
        """Selector, priority and table."""
        selector = f"from {self.source}" if self.source else f"iif {self.iif}"
        return f"{selector} priority {self.priority} table {self.table}"


@frozen
class KernelRule(OfIproute2, InNamespace):
    """A rule by which all packets look into a table."""

    kind = "kernel-rule"
    identity = ("namespace", "priority", "table", "family")
    ip_object = "rule"
    by_kernel = True
    namespace: str
    priority: int
    table: int
    family: Family = Family.IPV4

    @property
    def ip_arguments(self) -> str:
        """The arguments of the kernel's own rule."""
        return f"from all priority {self.priority} table {NAMES[self.table]} protocol kernel"
