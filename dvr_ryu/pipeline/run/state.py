"""What a bridge remembers of packets, as a value: MACs, learned flows and connections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import evolve, field, frozen

from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.run.connections import Connection


@frozen
class BridgeState:
    """A bridge's state. Nothing in it ends by itself: there is no clock."""

    macs: Mapping[tuple[int, int], str] = field(factory=dict)
    """VLAN tag and MAC → the port on which NORMAL learned it."""
    learned: tuple[Flow, ...] = ()
    """The flows that learn actions made, the oldest first."""
    connections: tuple[Connection, ...] = ()
    """The connections that ct committed, of all zones."""

    def with_mac(self, vlan: int, mac: int, port: str) -> BridgeState:
        """The state after NORMAL learned a MAC."""
        if self.macs.get((vlan, mac)) == port:
            return self
        return evolve(self, macs={**self.macs, (vlan, mac): port})

    def with_flow(self, flow: Flow) -> BridgeState:
        """The state after a learn action. It replaces a flow of the same table, priority, match."""
        others = tuple(each for each in self.learned if identity(each) != identity(flow))
        return evolve(self, learned=(*others, flow))

    def with_connection(
        self, connection: Connection, instead_of: Connection | None = None
    ) -> BridgeState:
        """The state with a connection more, or with one in place of another."""
        others = tuple(each for each in self.connections if each is not instead_of)
        return evolve(self, connections=(*others, connection))

    def without(self, connection: Connection) -> BridgeState:
        """The state without a connection."""
        return evolve(
            self, connections=tuple(each for each in self.connections if each is not connection)
        )


def identity(flow: Flow) -> tuple[int, int, frozenset[Any]]:
    """Its table, priority and match: of flows with one identity, a switch has the last."""
    return flow.table, flow.priority, frozenset(flow.match)
