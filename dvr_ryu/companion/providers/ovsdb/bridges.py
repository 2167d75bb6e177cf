"""Read, make and remove bridges and ports in OVSDB: one transaction per call.

Ours are the rows whose external_ids have dvr_ryu=HOST. It adopts a foreign bridge that has one of
our names; it touches no other row.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from dvr_ryu.companion.foreign import ForeignItem
from dvr_ryu.companion.providers.ovs_ofctl import flows
from dvr_ryu.companion.providers.ovsdb import adopted
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.providers.ovsdb.replica import Row, Rows
from dvr_ryu.companion.providers.ovsdb.rows import (
    BRIDGE_CONFIG,
    CONTROLLER_COLUMNS,
    NUMBERS,
    columns_of,
    failure_of,
    port_of,
    settings_of,
)
from dvr_ryu.companion.providers.ovsdb.schema import SWITCH
from dvr_ryu.companion.providers.ovsdb.transaction import Reference, Transaction
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.openvswitch.vsctl import NETNS, OWNER, PLUGGED
from dvr_ryu.errors import HostError


class Ovsdb:
    """Bridges and ports of this machine, on behalf of one host of a topology."""

    def __init__(self, host: str, database: Database) -> None:
        """Raise HostError if Open vSwitch does not answer."""
        self.host = host
        self._database = database
        database.connect()

    def version(self) -> str:
        """Open vSwitch's version, if it reports one."""
        with self._database.current() as replica:
            return "".join(replica.switch.ovs_version)

    def cards(self, bridges: Collection[str]) -> dict[str, list[str]]:
        """The names that are bridges → the machine's cards on each."""
        with self._database.current() as replica:
            ports, interfaces = replica.rows("Port"), replica.rows("Interface")
            return {
                bridge["name"]: [
                    interface["name"]
                    for port in (ports[uuid] for uuid in bridge["ports"])
                    for interface in (interfaces[uuid] for uuid in port["interfaces"])
                    if _is_free(port) and interface["type"] in ("", "system")
                ]
                for bridge in replica.rows("Bridge").values()
                if bridge["name"] in bridges
            }

    def is_led(self) -> bool:
        """Whether a controller that we gave a bridge is connected to it."""
        with self._database.current() as replica:
            rows = replica.rows("Controller").values()
            return any(row["is_connected"] for row in rows if self._owns(row))

    # Reading -----------------------------------------------------------------------------------

    def owners(self) -> set[str]:
        """The hosts of topologies that bridges of this machine belong to: one, or none."""
        with self._database.current() as replica:
            rows = replica.rows("Bridge").values()
            return {row["external_ids"][OWNER] for row in rows if not _is_free(row)}

    def await_switch(self) -> None:
        """Wait until ovs-vswitchd has applied all of OVSDB, including other clients' changes."""
        with self._database.transaction():
            pass

    def read(
        self, wanted: Collection[tuple[str, str]]
    ) -> tuple[list[Bridge], list[OvsPort], list[ForeignItem]]:
        """Return our bridges, our ports, and the foreign items on those bridges.

        `wanted` are the kinds and names of the desired ones: it returns a foreign bridge among them
        with ours. Raise HostError if a foreign port is among them, or if this machine is another
        host: then this host may remove nothing here.
        """
        with self._database.current() as replica:
            bridges, ports = replica.rows("Bridge").values(), replica.rows("Port")
            controllers, interfaces = replica.rows("Controller"), replica.rows("Interface")
            for row in bridges:
                if not self._owns(row) and not _is_free(row):
                    raise _foreign("bridge", row["name"], row)
            for row in ports.values():
                if not self._owns(row) and (OvsPort.kind, row["name"]) in wanted:
                    raise _foreign("port", row["name"], row)
            ours = [
                row for row in bridges if self._owns(row) or (Bridge.kind, row["name"]) in wanted
            ]
            return (
                [self._bridge(row, controllers) for row in ours],
                [
                    port_of(bridge["name"], port, interfaces[port["interfaces"][0]])
                    for bridge in ours
                    for port in (ports[uuid] for uuid in bridge["ports"])
                    if self._owns(port)
                ],
                [each for row in ours for each in self._foreign_items(row, controllers, ports)],
            )

    def present(self, names: Collection[str]) -> list[Bridge]:
        """The bridges of these names, ours and adopted ones, as they are."""
        with self._database.current() as replica:
            controllers = replica.rows("Controller")
            return [
                self._bridge(row, controllers)
                for row in replica.rows("Bridge").values()
                if row["name"] in names
            ]

    def _foreign_items(self, bridge: Row, controllers: Rows, ports: Rows) -> Iterator[ForeignItem]:
        name = bridge["name"]
        if _is_adopted(bridge):
            yield ForeignItem(name, "bridge", name)
        for row in (controllers[uuid] for uuid in bridge["controller"]):
            if not self._owns(row):
                yield ForeignItem(name, "controller", row["target"])
        for row in (ports[uuid] for uuid in bridge["ports"]):
            if _is_free(row) and PLUGGED not in row["external_ids"] and row["name"] != name:
                yield ForeignItem(name, "port", row["name"], next(iter(row["tag"]), None))

    def _bridge(self, row: Row, controllers: Rows) -> Bridge:
        before = settings_of(row) if _is_free(row) else adopted.before(row)
        return Bridge(row["name"], settings_of(row), self._controller(row, controllers), before)

    def _controller(self, row: Row, controllers: Rows) -> dict[str, str]:
        """The settings of our controller of a bridge; {} for none."""
        for found in (controllers[uuid] for uuid in row["controller"]):
            if self._owns(found):
                return {name: _text(found[name]) for name in CONTROLLER_COLUMNS}
        return {}

    @property
    def _local_mark(self) -> str:
        """The mark of the local port of a bridge that we made."""
        return f"{self.host}/local"

    def _owns(self, row: Row) -> bool:
        return bool(row["external_ids"].get(OWNER) == self.host)

    # The change ---------------------------------------------------------------------------------

    def make_bridges(self, resources: Sequence[Bridge]) -> None:
        """Make the desired bridges, or change present ones to them. Raise HostError, with Open
        vSwitch's reason, if one does not come.
        """
        with self._database.current() as replica:
            present = _named(replica.rows("Bridge"), resources)
            modes = {name: _text(row["fail_mode"]) for name, row in present.items()}
            free = [name for name, row in present.items() if _is_free(row)]
        for name in free:
            flows.note_taken(name, modes[name])
        with flows.restored(modes), self._database.transaction() as transaction:
            present = _named(transaction.replica.rows("Bridge"), resources)
            for resource in resources:
                self._make_bridge(transaction, resource, present.get(resource.name))
        self._require_made("bridge", {resource.name for resource in resources})

    def _make_bridge(self, transaction: Transaction, resource: Bridge, row: Row | None) -> None:
        settings = columns_of(resource.settings, row)
        controllers = transaction.replica.rows("Controller")
        if row is None or self._controller(row, controllers) != resource.controller:
            settings["controller"] = [] if row is None else self._others(row, controllers)
            if resource.controller:
                ours = {**columns_of(resource.controller), "external_ids": {OWNER: self.host}}
                settings["controller"].append(transaction.insert("Controller", ours))
        if row is None:
            local = {"name": resource.name, "external_ids": {OWNER: self._local_mark}}
            settings |= {
                "name": resource.name,
                "external_ids": {OWNER: self.host},
                "ports": [_insert_port(transaction, local, {"type": "internal"})],
            }
            bridge = transaction.insert("Bridge", settings)
            transaction.add(SWITCH, transaction.replica.switch.uuid, "bridges", [bridge])
        elif self._owns(row) or _is_free(row):
            if _is_free(row):
                settings["external_ids"] = adopted.taken(row, self.host, settings_of(row))
            transaction.update("Bridge", row.uuid, settings)
        else:
            raise _foreign("bridge", resource.name, row)

    def make_ports(self, resources: Sequence[OvsPort]) -> None:
        """Make the desired ports, or change present ones to them. Raise HostError, with Open
        vSwitch's reason, if one does not come.
        """
        with self._database.transaction() as transaction:
            present = _named(transaction.replica.rows("Port"), resources)
            interfaces = _named(transaction.replica.rows("Interface"), resources)
            bridges = {row["name"]: row for row in transaction.replica.rows("Bridge").values()}
            for resource in resources:
                row = present.get(resource.name)
                if row is None:
                    self._add_port(transaction, resource, bridges.get(resource.bridge))
                elif self._owns(row):
                    interface = interfaces[resource.name]
                    self._change_port(transaction, resource, row, interface)
                else:
                    raise _foreign("port", resource.name, row)
        self._require_made("port", {resource.name for resource in resources})

    def _add_port(self, transaction: Transaction, resource: OvsPort, bridge: Row | None) -> None:
        """Add a port to a bridge; to none, if the bridge has just been removed: the next look
        reports it."""
        if bridge is not None:
            columns = {"name": resource.name, **self._columns(resource)}
            port = _insert_port(transaction, columns, resource.interface)
            transaction.add("Bridge", bridge.uuid, "ports", [port])

    def _change_port(
        self, transaction: Transaction, resource: OvsPort, row: Row, interface: Row
    ) -> None:
        columns = self._columns(resource)
        columns["external_ids"] = {**row["external_ids"], **columns["external_ids"]}
        transaction.update("Port", row.uuid, columns)
        settings = columns_of(resource.interface, interface)
        absent: dict[str, Any] = {number: [] for number in NUMBERS if number not in settings}
        transaction.update("Interface", interface.uuid, {**absent, **settings})

    def _columns(self, resource: OvsPort) -> dict[str, Any]:
        return {
            "external_ids": {OWNER: self.host, NETNS: resource.namespace},
            "tag": [] if resource.tag is None else [resource.tag],
            "protected": resource.protected,
        }

    def _require_made(self, what: str, names: set[str]) -> None:
        with self._database.current() as replica:
            for row in replica.rows("Interface").values():
                if row["name"] in names and (wrong := failure_of(row)):
                    raise HostError(
                        f"Open vSwitch cannot make {what} {row['name']}: {wrong}; see what this "
                        "machine lacks: dvr companion check"
                    )

    def failures(self) -> dict[str, str]:
        """Our ports that Open vSwitch could not make, and bridges, each with its reason."""
        with self._database.current() as replica:
            ports, interfaces = replica.rows("Port"), replica.rows("Interface")
            return {
                port["name"]: wrong
                for bridge in replica.rows("Bridge").values()
                if not _is_free(bridge)
                for port in (ports[uuid] for uuid in bridge["ports"])
                if not _is_free(port)
                for uuid in port["interfaces"]
                if (wrong := failure_of(interfaces[uuid]))
            }

    def remove_ports(self, resources: Sequence[OvsPort]) -> None:
        """Remove ports; their devices go with them."""
        with self._database.transaction() as transaction:
            present = _named(transaction.replica.rows("Port"), resources).values()
            gone = {row.uuid for row in present if self._owns(row)}
            for bridge in transaction.replica.rows("Bridge").values():
                here = gone.intersection(bridge["ports"])
                transaction.remove("Bridge", bridge.uuid, "ports", here)

    def remove_bridges(self, resources: Sequence[Bridge]) -> None:
        """Remove bridges with all that is on them; release adopted ones, without our ports."""
        with self._database.current() as replica:
            present, ports = _named(replica.rows("Bridge"), resources), replica.rows("Port")
            ours = [row for row in present.values() if self._owns(row)]
            modes = {row["name"]: _text(row["fail_mode"]) for row in ours if _stays(row, ports)}
        with flows.given_back(modes):
            if modes:
                # While they are still ours: the next companion finds the leftovers of a killed one
                # on them.
                self._let_go_of_controllers(modes)
            for name in modes:
                flows.remove_ours(name)
            with self._database.transaction() as transaction:
                self._remove_bridges(transaction, resources)

    def _let_go_of_controllers(self, bridges: Collection[str]) -> None:
        with self._database.transaction() as transaction:
            controllers = transaction.replica.rows("Controller")
            for row in transaction.replica.rows("Bridge").values():
                if row["name"] in bridges:
                    others = self._others(row, controllers)
                    transaction.update("Bridge", row.uuid, {"controller": others})

    def _remove_bridges(self, transaction: Transaction, resources: Sequence[Bridge]) -> None:
        ports = transaction.replica.rows("Port")
        for row in _named(transaction.replica.rows("Bridge"), resources).values():
            if not self._owns(row):
                continue
            if not _stays(row, ports):
                transaction.remove(SWITCH, transaction.replica.switch.uuid, "bridges", [row.uuid])
                continue
            columns = adopted.returned(row, columns_of(adopted.before(row) or {}), BRIDGE_CONFIG)
            columns["ports"] = [uuid for uuid in row["ports"] if not self._owns(ports[uuid])]
            transaction.update("Bridge", row.uuid, columns)
            for port in (ports[uuid] for uuid in row["ports"]):
                if port["external_ids"].get(OWNER) == self._local_mark:
                    transaction.update("Port", port.uuid, {"external_ids": {}})

    def _others(self, row: Row, controllers: Rows) -> list[Reference]:
        """The controllers of a bridge that are not ours."""
        return [uuid for uuid in row["controller"] if not self._owns(controllers[uuid])]


def _insert_port(
    transaction: Transaction, port: Mapping[str, Any], interface: Mapping[str, str]
) -> Reference:
    """Insert a port with its interface, which has its name."""
    row = transaction.insert("Interface", {"name": port["name"], **columns_of(interface)})
    return transaction.insert("Port", {**port, "interfaces": [row]})


def _named(rows: Rows, resources: Iterable[Bridge | OvsPort]) -> dict[str, Row]:
    """The rows that have the names of resources."""
    names = {resource.name for resource in resources}
    return {row["name"]: row for row in rows.values() if row["name"] in names}


def _is_free(row: Row) -> bool:
    """Whether a row is no dvr_ryu's."""
    return OWNER not in row["external_ids"]


def _is_adopted(row: Row) -> bool:
    """Whether a bridge was here before us."""
    return _is_free(row) or adopted.before(row) is not None


def _stays(bridge: Row, ports: Rows) -> bool:
    """Whether others need a bridge that we do not need any more: it was here before us, or they
    have plugged something into it.
    """
    return _is_adopted(bridge) or any(_is_free(ports[uuid]) for uuid in bridge["ports"])


def _text(value: Any) -> str:
    """A column as text; of a set, its member, or nothing."""
    return "".join(map(str, value)) if isinstance(value, list) else str(value)


def _foreign(what: str, name: str, row: Row) -> HostError:
    owner = row["external_ids"].get(OWNER)
    if owner:
        return HostError(
            f"the {what} {name} is dvr_ryu's for host {owner}; if this machine is no longer "
            f"that host: dvr companion down --host {owner}"
        )
    return HostError(
        f"the {what} {name} exists and is not dvr_ryu's; if nothing needs it, remove it: "
        f"ovs-vsctl del-port {name}"
    )
