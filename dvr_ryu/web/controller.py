"""What the controller serves: its routes, by what it knows. It changes nothing of the controller.

A document is made from what is there at one moment: no other greenlet runs meanwhile.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Protocol

from attrs import frozen

from dvr_ryu.switch.guard.identity import BridgeName
from dvr_ryu.switch.record import Records
from dvr_ryu.topology.topology import Topology
from dvr_ryu.web import status
from dvr_ryu.web.edits import Edits
from dvr_ryu.web.messages import Request, Response, Routes, document
from dvr_ryu.web.status import ControllerState, Status, SyncState, time_text


class ConnectedBridge(SyncState, Protocol):
    """A connected bridge, as far as it is shown."""

    @property
    def name(self) -> BridgeName | None:
        """Its name, if it is in the topology."""


class Watched(Protocol):
    """The controller, as far as it is shown."""

    records: Records
    state: ControllerState
    edits: Edits

    @property
    def topology(self) -> Topology:
        """The declared topology."""

    @property
    def pipeline_names(self) -> Collection[str]:
        """The bridges that each host should have."""

    def connected_bridges(self) -> Iterable[ConnectedBridge]:
        """The bridges that are connected now."""


@frozen
class ControllerRoutes:
    """The routes of a controller."""

    _watched: Watched

    def routes(self) -> Routes:
        """Path → route."""
        return {status.PATH: self.status, "/edits.json": self.edits}

    def status(self, _: Request) -> Response:
        """Controller, hosts and bridges: connected, in sync, since when, the last error."""
        watched = self._watched
        connected = {each.name: each for each in watched.connected_bridges() if each.name}
        found = Status(
            watched.state,
            watched.topology.hosts,
            watched.pipeline_names,
            connected,
            watched.records,
        )
        return document(found.document())

    def edits(self, _: Request) -> Response:
        """The last edits, the youngest first."""
        edits = [
            {
                "time": time_text(edit.time),
                "error": edit.error or None,
                "files": [{"file": name, "lines": lines} for name, lines in edit.files.items()],
            }
            for edit in self._watched.edits
        ]
        return document({"edits": edits[::-1]})
