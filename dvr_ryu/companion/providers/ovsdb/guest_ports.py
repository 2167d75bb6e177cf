"""Read the interfaces that others plugged in, and use those of instances: one transaction per call.

A port that we use has a mark in its external_ids, with its tag and its number from before us. We
change no other column of it, and never remove it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dvr_ryu.companion.foreign import ForeignInterface
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.providers.ovsdb.replica import Replica, Row
from dvr_ryu.companion.providers.ovsdb.transaction import Transaction
from dvr_ryu.companion.resources.openvswitch.plugged_port import PluggedPort
from dvr_ryu.companion.resources.openvswitch.vsctl import (
    OFPORT_BEFORE,
    OWNER,
    PLUGGED,
    TAG_BEFORE,
)

_MARKS = (PLUGGED, TAG_BEFORE, OFPORT_BEFORE)


class GuestPorts:
    """The ports of others on this machine's bridges, on behalf of one host of a topology."""

    def __init__(self, host: str, database: Database) -> None:
        self._host = host
        self._database = database

    def interfaces(self) -> list[ForeignInterface]:
        """The interfaces of others on all bridges."""
        with self._database.current() as replica:
            return [
                ForeignInterface(
                    bridge,
                    port["name"],
                    interface["external_ids"].get("iface-id", ""),
                    interface["external_ids"].get("attached-mac", "").lower(),
                    "".join(interface["error"]),
                )
                for bridge, port, interface in _rows(replica)
                if OWNER not in port["external_ids"]
            ]

    def read(self) -> list[PluggedPort]:
        """The ports that we use."""
        with self._database.current() as replica:
            return [
                PluggedPort(
                    bridge, port["name"], _one(port["tag"]), _one(interface["ofport_request"])
                )
                for bridge, port, interface in _rows(replica)
                if port["external_ids"].get(PLUGGED) == self._host
            ]

    def make(self, resources: Sequence[PluggedPort]) -> None:
        """Use ports. One that has just been unplugged is left out: the next look reports it."""
        with self._database.transaction() as transaction:
            for resource, port, interface in _found(transaction, resources):
                ids, tag = dict(port["external_ids"]), _text(port["tag"])
                if TAG_BEFORE not in ids:
                    ids |= {TAG_BEFORE: tag, OFPORT_BEFORE: _text(interface["ofport_request"])}
                columns = {"tag": _set(resource.tag), "external_ids": {**ids, PLUGGED: self._host}}
                transaction.update("Port", port.uuid, columns)
                request = {"ofport_request": _set(resource.ofport)}
                transaction.update("Interface", interface.uuid, request)

    def remove(self, resources: Sequence[PluggedPort]) -> None:
        """Give ports back as they were before us."""
        with self._database.transaction() as transaction:
            for _, port, interface in _found(transaction, resources):
                ids = port["external_ids"]
                others = {key: value for key, value in ids.items() if key not in _MARKS}
                columns = {"tag": _noted(ids.get(TAG_BEFORE)), "external_ids": others}
                transaction.update("Port", port.uuid, columns)
                request = {"ofport_request": _noted(ids.get(OFPORT_BEFORE))}
                transaction.update("Interface", interface.uuid, request)


def _rows(replica: Replica) -> Iterator[tuple[str, Row, Row]]:
    """The name of each bridge, with each of its ports that has one interface."""
    ports, interfaces = replica.rows("Port"), replica.rows("Interface")
    for bridge in replica.rows("Bridge").values():
        for port in (ports[uuid] for uuid in bridge["ports"]):
            if len(port["interfaces"]) == 1:
                yield bridge["name"], port, interfaces[port["interfaces"][0]]


def _found(
    transaction: Transaction, resources: Sequence[PluggedPort]
) -> Iterator[tuple[PluggedPort, Row, Row]]:
    named = {resource.name: resource for resource in resources}
    for _, port, interface in _rows(transaction.replica):
        if port["name"] in named:
            yield named[port["name"]], port, interface


def _one(numbers: list[int]) -> int | None:
    return next(iter(numbers), None)


def _set(number: int | None) -> list[int]:
    return [] if number is None else [number]


def _text(numbers: list[Any]) -> str:
    """A column of one number or none, as ovs-vsctl prints it."""
    return "".join(map(str, numbers)) or "[]"


def _noted(text: str | None) -> list[int]:
    """The column again; none, if the note is unreadable."""
    return [int(text)] if text and text.isascii() and text.isdigit() else []
