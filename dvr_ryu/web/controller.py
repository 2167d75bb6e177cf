"""What the controller serves: its routes, by what it knows. It changes nothing of the controller.

A document is made from what is there at one moment: no other greenlet runs meanwhile. What takes
long is computed by a `Worker`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Protocol

from attrs import field, frozen

from dvr_ryu.pipeline.compile.line_counts import LineCount
from dvr_ryu.source.inputs import Inputs
from dvr_ryu.switch.guard.identity import BridgeName
from dvr_ryu.switch.record import Records
from dvr_ryu.web import lines, status
from dvr_ryu.web.apart import Busy, Worker
from dvr_ryu.web.edits import Edits
from dvr_ryu.web.messages import Request, Response, Routes, document, refusal
from dvr_ryu.web.static import page_routes
from dvr_ryu.web.status import ControllerState, Status, SyncState, time_text


class ConnectedBridge(SyncState, Protocol):
    """A connected bridge, as far as it is shown."""

    @property
    def name(self) -> BridgeName | None:
        """Its name, if it is in the topology."""


class Counts(Protocol):
    """What one bridge's flows have counted."""

    installed: int
    learned: int
    foreign: int

    def lines(self) -> Sequence[LineCount]:
        """The count of each line."""


class Watched(Protocol):
    """The controller, as far as it is shown."""

    records: Records
    state: ControllerState
    edits: Edits

    @property
    def inputs(self) -> Inputs:
        """The inputs that are in force."""

    @property
    def plugged(self) -> Mapping[str, Collection[str]]:
        """Instance that others plug in → the hosts on which it is plugged in."""

    def connected_bridges(self) -> Iterable[ConnectedBridge]:
        """The bridges that are connected now."""

    def counts(self, name: BridgeName) -> Counts:
        """What a bridge's flows have counted, a few seconds old at most."""


@frozen
class ControllerRoutes:
    """The routes of a controller."""

    _watched: Watched
    _worker: Worker = field(factory=Worker)

    def routes(self) -> Routes:
        """Path → route."""
        return {
            **page_routes(),
            status.PATH: self.status,
            "/edits.json": self.edits,
            "/lines.json": self.lines,
            **{f"/{name}.json": self.computed for name in ("names", "picture", "trace")},
        }

    def status(self, _: Request) -> Response:
        """Controller, hosts and bridges: connected, in sync, since when, the last error."""
        watched = self._watched
        connected = {each.name: each for each in watched.connected_bridges() if each.name}
        inputs = watched.inputs
        found = Status(
            watched.state,
            inputs.declaration.topology.hosts,
            inputs.pipelines.by_bridge.keys(),
            connected,
            watched.records,
            watched.plugged,
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

    def lines(self, request: Request) -> Response:
        """The lines of the pipeline of a host's bridge, what they have counted, the last changes of
        the bridge's flows.
        """
        name = BridgeName(request.query.get("host", ""), request.query.get("bridge", ""))
        inputs = self._watched.inputs
        pipeline = inputs.pipelines.by_bridge.get(name.bridge)
        if pipeline is None or name.host not in inputs.declaration.topology.hosts:
            return refusal(HTTPStatus.NOT_FOUND, f"the topology has no bridge {name}")
        counts = self._watched.counts(name)
        changes = self._watched.records.of(name).changes
        return document(
            {
                "host": name.host,
                "bridge": name.bridge,
                "time": time.time(),
                "flows": {
                    "installed": counts.installed,
                    "learned": counts.learned,
                    "foreign": counts.foreign,
                },
                "tables": lines.tables(pipeline, counts.lines()),
                "changes": [
                    {"time": time_text(each.time), "summary": each.summary, "lines": each.lines}
                    for each in reversed(changes)
                ],
            }
        )

    def computed(self, request: Request) -> Response:
        """What the worker answers: the names of ends, the picture, or a packet's way."""
        question = request.path.removeprefix("/").removesuffix(".json")
        try:
            return document(self._worker.ask(self._watched.inputs, question, request.query))
        except Busy as error:
            return document({"error": str(error)}, HTTPStatus.SERVICE_UNAVAILABLE)
