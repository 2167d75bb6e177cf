"""The state of the controller and of each bridge as one document, and its reading. Pure.

`docs/json.rst` describes its keys. Times are UTC in ISO 8601.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timezone
from typing import Any, Protocol

from attrs import define, field, frozen

from dvr_ryu.switch.guard.identity import BridgeName
from dvr_ryu.switch.record import BridgeRecord, Records
from dvr_ryu.topology.model import Host

Document = dict[str, Any]

PATH = "/status.json"


@define
class ControllerState:
    """The controller's own state, apart from its bridges. Times are seconds since the epoch."""

    topology: str
    """The name of the source, mostly a file."""
    flows: str
    """The folder of the pipelines."""
    version: str = ""
    """The version of the source that is in force."""
    listens: str = ""
    """Where switches connect: tcp:10.0.0.1:6653."""
    started: float = 0.0
    since: float = 0.0
    """Since when the present inputs are in force."""
    applied: int = 0
    """How many edits were applied."""
    refused: int = 0
    """How many edits were refused."""
    error: str = ""
    """Why the last save is not in force; empty if it is."""
    error_time: float = 0.0
    moving: Mapping[str, str] = field(factory=dict)
    """Instance that has not arrived on its host → the host where flows still lead."""


class SyncState(Protocol):
    """Whether a connected bridge has its flows."""

    @property
    def in_sync(self) -> bool:
        """Whether it has the desired flows, by all that is known."""

    @property
    def refused(self) -> str:
        """Why it cannot have them; empty if it can."""


@frozen
class Status:
    """The state of all."""

    controller: ControllerState
    hosts: Mapping[str, Host]
    bridges: Collection[str]
    """The bridges that each host should have."""
    connected: Mapping[BridgeName, SyncState]
    records: Records
    plugged: Mapping[str, Collection[str]] = field(factory=dict)
    """Instance that others plug in → the hosts on which it is plugged in."""

    def document(self) -> Document:
        """Plain data; `in_sync` is whether everything is."""
        bridges = [*self._bridges()]
        hosts = [_host(host, bridges) for host in self.hosts.values()]
        return {
            "in_sync": not self.controller.error and all(each["in_sync"] for each in hosts),
            "controller": _controller(self.controller, self.plugged),
            "hosts": hosts,
            "bridges": bridges,
        }

    def _bridges(self) -> Iterator[Document]:
        for host in self.hosts:
            for bridge in self.bridges:
                name = BridgeName(host, bridge)
                yield _bridge(name, self.records.of(name), self.connected.get(name))


def _controller(state: ControllerState, plugged: Mapping[str, Collection[str]]) -> Document:
    return {
        "topology": state.topology,
        "version": state.version,
        "flows": state.flows,
        "listens": state.listens,
        "started": time_text(state.started),
        "since": time_text(state.since),
        "edits": {"applied": state.applied, "refused": state.refused},
        "moving": [{"instance": name, "host": host} for name, host in state.moving.items()],
        "plugged": [{"instance": name, "hosts": [*hosts]} for name, hosts in plugged.items()],
        "error": error_document(state.error, state.error_time),
    }


def _host(host: Host, bridges: list[Document]) -> Document:
    own = [each for each in bridges if each["host"] == host.name]
    return {
        "name": host.name,
        "address": host.address,
        "connected": all(each["connected"] for each in own),
        "in_sync": all(each["in_sync"] for each in own),
    }


def _bridge(name: BridgeName, record: BridgeRecord, state: SyncState | None) -> Document:
    connected = record.peer is not None
    in_sync = connected and state is not None and state.in_sync
    return {
        "host": name.host,
        "bridge": name.bridge,
        "connected": connected,
        "peer": str(record.peer) if connected else None,
        "since": time_text(record.since),
        "in_sync": in_sync,
        "in_sync_since": time_text(record.in_sync_since) if in_sync else None,
        "flows": record.flows,
        "last_sync": record.summary or None,
        "refused": state.refused or None if state else None,
        "last_error": error_document(record.error, record.error_time),
    }


def error_document(text: str, seconds: float) -> Document | None:
    """An error and its time; None without an error."""
    return {"text": text, "time": time_text(seconds)} if text else None


def time_text(seconds: float | None) -> str | None:
    """A time in ISO 8601; None for none."""
    if seconds is None:
        return None
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
