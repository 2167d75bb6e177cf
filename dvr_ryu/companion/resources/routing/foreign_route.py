"""Foreign routes in a namespace of ours that resemble none of ours. Pure."""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.companion.resources.namespace import InNamespace
from dvr_ryu.companion.resources.routing.iproute2 import OfIproute2
from dvr_ryu.companion.resources.routing.tables import LOCAL_TABLE, MAIN_TABLE
from dvr_ryu.topology.family import Family


@frozen
class NextHop:
    """One way of a route: by a router, onto a device, or both."""

    device: str
    via: str | None = None
    """The router's address; "inet6 ADDRESS", as ip writes it, if that is of IPv6."""
    weight: int = 1


@frozen
class ForeignRoute(OfIproute2, InNamespace):
    """A route of any type, with any number of next hops. It is only ever removed.

    A route of ours to the same destination may be there, too: the kernel prefers the one with a
    TOS, with the lower metric, or that came first.
    """

    kind = "foreign-route"
    identity = (
        "namespace",
        "table",
        "type",
        "destination",
        "tos",
        "metric",
        "source",
        "hops",
        "nexthop_id",
        "family",
    )
    ip_object = "route"
    namespace: str
    table: int
    type: str
    """unicast, blackhole, unreachable, …, or a number that has no name."""
    destination: str
    tos: int = 0
    metric: int = 0
    source: str | None = None
    hops: tuple[NextHop, ...] = ()
    nexthop_id: int | None = None
    """The number of the nexthop object that it has instead of next hops."""
    family: Family = Family.IPV4

    @property
    def ip_arguments(self) -> str:
        """The arguments of `ip route` for it."""
        type = "" if self.type == "unicast" else f"{self.type} "
        tos = f" tos {self.tos:#x}" if self.tos else ""
        tables = {MAIN_TABLE: "", LOCAL_TABLE: " table local"}
        table = tables.get(self.table, f" table {self.table}")
        metric = f" metric {self.metric}" if self.metric else ""
        source = f" src {self.source}" if self.source else ""
        return f"{type}{self.destination}{tos}{self._way}{table}{metric}{source}"

    @property
    def _way(self) -> str:
        if self.nexthop_id is not None:
            return f" nhid {self.nexthop_id}"
        ways = [f"{f' via {hop.via}' if hop.via else ''} dev {hop.device}" for hop in self.hops]
        if len(ways) == 1:
            return ways[0]
        pairs = zip(ways, self.hops, strict=True)
        return "".join(f" nexthop{way} weight {hop.weight}" for way, hop in pairs)
