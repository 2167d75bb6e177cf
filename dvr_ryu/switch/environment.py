"""The parts of the controller that a bridge uses: the desired state, the state that all bridges
share, and the observer of their work. Protocols only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol

from dvr_ryu.pipeline.compile.basis import Basis
from dvr_ryu.switch.changes import FlowChange
from dvr_ryu.switch.claims import Claims
from dvr_ryu.switch.connection import Connection
from dvr_ryu.switch.guard.identity import BridgeName, Peer
from dvr_ryu.switch.record import Records
from dvr_ryu.topology.changes import TopologyChange
from dvr_ryu.topology.topology import Topology


class Observer(Protocol):
    """Gets reports of bridges' work, for metrics. Its methods return at once and raise nothing."""

    def looked(self, seconds: float, drifted: int) -> None:
        """A bridge's flows were read and compared; others had changed so many of ours."""

    def synced(self, seconds: float, change: FlowChange) -> None:
        """A bridge has its flows, so many seconds after an edit or event asked for them."""

    def refused(self, flows: int) -> None:
        """A switch refused so many flows of a change, or 0: a change that cannot be sent to it."""


class DesiredState(Protocol):
    """The desired state, as far as a bridge uses it."""

    def identify(self, description: str, datapath_id: int) -> BridgeName | None:
        """The bridge that describes itself so and has this datapath id; None if the topology has
        no such bridge.
        """

    def objection(self, name: BridgeName, peer: Peer) -> str | None:
        """The reason why a bridge that `identify` knows cannot be at this peer; None if it can."""

    def cookies(self) -> frozenset[int]:
        """The cookies that mark flows as ours."""

    def learned(self) -> frozenset[int]:
        """The cookies of flows that switches learn by themselves."""

    def basis(self, name: BridgeName, ports: Mapping[str, int]) -> Basis:
        """The present basis of the flows of a bridge with these ports."""

    def change_between(self, before: Topology, after: Topology) -> TopologyChange:
        """The change from an earlier topology to a later one."""

    def devices(self, name: BridgeName) -> Mapping[int, str]:
        """OpenFlow port number of a bridge → the device for which a port with it stands."""

    def announced(self, name: BridgeName, number: int) -> str | None:
        """A port of a bridge has sent a packet to the controller: return the roaming instance that
        is there now, if that is news.
        """

    def see_ports(self, name: BridgeName, ports: Collection[str]) -> None:
        """The ports of a bridge that are not shut."""


class SharedState(Protocol):
    """The state that all connected bridges share."""

    claims: Claims
    observer: Observer
    records: Records

    def bridges(self) -> int:
        """The number of bridges, with this one."""

    def knows(self, connection: Connection, known: bool) -> None:
        """Note whether a connection is that of a bridge of the topology."""

    def ports_changed(self) -> None:
        """Look, soon, whether instances have arrived by the ports that were seen."""
