"""Bridges and ports in OVSDB: one transaction for all that is asked at once.

Ours are the rows whose external_ids say dvr_ryu=HOST. A bridge of others that has one of our names
is taken into use; no other row is touched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from dvr_ryu.companion.foreign import Stranger
from dvr_ryu.companion.providers.ovs_ofctl import flows
from dvr_ryu.companion.providers.ovsdb import adopted
from dvr_ryu.companion.providers.ovsdb.adopted import OWNER
from dvr_ryu.companion.providers.ovsdb.rows import (
    BRIDGE_COLUMNS,
    BRIDGE_CONFIG,
    CONTROLLER_COLUMNS,
    INTERFACE_COLUMNS,
    NUMBERS,
    PLACE,
    PORT_COLUMNS,
    columns_of,
    port_of,
    settings_of,
)
from dvr_ryu.companion.providers.ovsdb.rpc import (
    TIMED_OUT,
    Clause,
    Named,
    Operation,
    Reference,
    Refused,
    Row,
    Session,
    as_list,
    insert,
    mutate,
    select,
    update,
    wait_until_none,
)
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.errors import HostError

SOCKET = "/run/openvswitch/db.sock"
SECONDS = 20
"""How long OVS may take for one transaction, until ovs-vswitchd has done what it says."""

SWITCH = "Open_vSwitch"


class Ovsdb:
    """A connection to this host's OVSDB, on behalf of one host of a topology."""

    def __init__(self, host: str) -> None:
        """Raise HostError if Open vSwitch does not answer."""
        self.host = host
        try:
            # OVSDB itself says that OVS took too long; if it cannot, its connection is dead.
            self._session = Session(SOCKET, SWITCH, SECONDS + 5)
        except OSError as error:
            raise HostError(
                f"Open vSwitch does not answer at {SOCKET}; start it: "
                "systemctl start openvswitch-switch (Debian: apt install openvswitch-switch)"
            ) from error

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    def version(self) -> str:
        """Open vSwitch's version, if it says one."""
        ((switch,),) = self.transact(select(SWITCH, ["ovs_version"]))
        return "".join(as_list(switch["ovs_version"]))

    def bridge_names(self) -> set[str]:
        """The names of all bridges, whoever made them."""
        (rows,) = self.transact(select("Bridge", ["name"]))
        return {row["name"] for row in rows}

    def cards(self, bridges: Collection[str]) -> dict[str, list[str]]:
        """Those of the names that are bridges → the cards of the machine that are on each."""
        asked = [select("Bridge", ["name", "ports"], ("name", "==", name)) for name in bridges]
        rows = [row for found in self.transact(*asked) for row in found]
        return {row["name"]: list(self._cards(as_list(row["ports"]))) for row in rows}

    def _cards(self, ports: Sequence[str]) -> Iterator[str]:
        columns = ["interfaces", "external_ids"]
        asked = [select("Port", columns, ("_uuid", "==", uuid)) for uuid in ports]
        theirs = [row for (row,) in self.transact(*asked) if OWNER not in row["external_ids"]]
        uuids = [uuid for row in theirs for uuid in as_list(row["interfaces"])]
        of = [select("Interface", ["name", "type"], ("_uuid", "==", each)) for each in uuids]
        for (row,) in self.transact(*of):
            if row["type"] in ("", "system"):
                yield row["name"]

    def is_led(self) -> bool:
        """Whether a controller that we gave a bridge is connected to it."""
        (rows,) = self.transact(select("Controller", ["is_connected", "external_ids"]))
        return any(row["is_connected"] for row in rows if self._owns(row))

    # What is ------------------------------------------------------------------------------------

    def await_switch(self) -> None:
        """Wait until ovs-vswitchd has done all that OVSDB says, whoever wrote it."""
        self.change(())

    def read(
        self, wanted: Collection[tuple[str, str]]
    ) -> tuple[list[Bridge], list[OvsPort], list[Stranger]]:
        """Return our bridges, our ports, and what else is on those bridges.

        `wanted` are the kinds and names of what should be here: a bridge of others that is among
        them is returned with ours. Raise HostError if a port of others is, or if this machine is
        another host: then nothing here is this one's to remove.
        """
        bridge_rows, controller_rows, port_rows, interface_rows = self.transact(
            select("Bridge", BRIDGE_COLUMNS),
            select("Controller", (*CONTROLLER_COLUMNS, "external_ids")),
            select("Port", PORT_COLUMNS),
            select("Interface", INTERFACE_COLUMNS),
        )
        controllers, ports, interfaces = map(_by_uuid, (controller_rows, port_rows, interface_rows))
        ours = [
            row
            for row in bridge_rows
            if self._owns(row) or (_is_free(row) and (Bridge.kind, row["name"]) in wanted)
        ]
        for row in bridge_rows:
            if not self._owns(row) and not _is_free(row):
                raise _foreign("bridge", row["name"], row)
        for row in port_rows:
            if not self._owns(row) and (OvsPort.kind, row["name"]) in wanted:
                raise _foreign("port", row["name"], row)
        return (
            [self._bridge(row, controllers) for row in ours],
            [
                port_of(bridge["name"], port, interfaces[as_list(port["interfaces"])[0]])
                for bridge in ours
                for port in (ports[uuid] for uuid in as_list(bridge["ports"]))
                if self._owns(port)
            ],
            [each for row in ours for each in self._strangers(row, controllers, ports)],
        )

    def given(self, names: Collection[str]) -> dict[str, Bridge]:
        """The bridges of these names that were here before us, as they are."""
        asked = [select("Bridge", BRIDGE_COLUMNS, ("name", "==", name)) for name in names]
        rows = [row for found in self.transact(*asked) for row in found]
        return {
            row["name"]: Bridge(row["name"], settings_of(row), {}) for row in rows if _is_given(row)
        }

    def _strangers(
        self, bridge: Row, controllers: Mapping[str, Row], ports: Mapping[str, Row]
    ) -> Iterator[Stranger]:
        name = bridge["name"]
        if _is_given(bridge):
            yield Stranger(name, "bridge", name)
        for row in (controllers[uuid] for uuid in as_list(bridge["controller"])):
            if not self._owns(row):
                yield Stranger(name, "controller", row["target"])
        for row in (ports[uuid] for uuid in as_list(bridge["ports"])):
            if OWNER not in row["external_ids"] and row["name"] != name:
                tag = next(iter(as_list(row["tag"])), None)
                yield Stranger(name, "port", row["name"], tag)

    def _bridge(self, row: Row, controllers: Mapping[str, Row]) -> Bridge:
        before = settings_of(row) if _is_free(row) else adopted.before(row)
        return Bridge(row["name"], settings_of(row), self._controller(row, controllers), before)

    def _controller(self, row: Row, controllers: Mapping[str, Row]) -> dict[str, str]:
        """The settings of our controller of a bridge; {} for none."""
        for found in (controllers[uuid] for uuid in as_list(row["controller"])):
            if self._owns(found):
                columns = {name: as_list(found[name]) for name in CONTROLLER_COLUMNS}
                return {name: "".join(map(str, value)) for name, value in columns.items()}
        return {}

    def _owns(self, row: Row) -> bool:
        return bool(row["external_ids"].get(OWNER) == self.host)

    # The change ---------------------------------------------------------------------------------

    def make_bridges(self, resources: Sequence[Bridge]) -> None:
        """Make bridges, or change them to what they should be."""
        present = self._named("Bridge", BRIDGE_COLUMNS, resources)
        known = self._controllers()
        for row in filter(_is_free, present.values()):
            flows.note_taken(row["name"], _fail_mode(row))
        with flows.kept({name: _fail_mode(row) for name, row in present.items()}):
            self.change(
                operation
                for number, resource in enumerate(resources)
                for operation in self._make_bridge(
                    number, resource, present.get(resource.name), known
                )
            )

    def make_ports(self, resources: Sequence[OvsPort]) -> None:
        """Make ports, or change them to what they should be."""
        present = self._named("Port", PORT_COLUMNS, resources)
        interfaces = self._named("Interface", INTERFACE_COLUMNS, resources)
        self.change(self._make_ports(resources, present, interfaces))
        self._complain_of({resource.name for resource in resources})

    def unmake_bridges(self, resources: Sequence[Bridge]) -> None:
        """Remove bridges with all that is on them; those that were here before us are given back,
        without our ports.
        """
        rows = [
            row
            for row in self._named("Bridge", BRIDGE_COLUMNS, resources).values()
            if self._owns(row)
        ]
        returned = {row["name"]: row for row in rows if _is_given(row)}
        gone = [row["_uuid"] for row in rows if row["name"] not in returned]
        asked = [select("Port", ["external_ids"])] if returned else []
        ports = [row for found in self.transact(*asked) for row in found]
        our_ports = {row["_uuid"] for row in ports if self._owns(row)}
        known = self._controllers()
        with flows.given_back({name: _fail_mode(row) for name, row in returned.items()}):
            if returned:
                # While they are ours yet: what a killed companion has left on them is found again.
                self.change(self._without_controller(row, known) for row in returned.values())
            for name in returned:
                flows.remove_ours(name)
            self.change(
                [
                    mutate(SWITCH, "bridges", "delete", gone),
                    *(self._give_back(row, our_ports) for row in returned.values()),
                ]
            )

    def _without_controller(self, row: Row, controllers: Mapping[str, Row]) -> Operation:
        return update("Bridge", {"controller": self._others(row, controllers)}, _same(row))

    def _give_back(self, row: Row, our_ports: Collection[str]) -> Operation:
        columns = adopted.returned(row, columns_of(adopted.before(row) or {}), BRIDGE_CONFIG)
        columns["ports"] = [uuid for uuid in as_list(row["ports"]) if uuid not in our_ports]
        return update("Bridge", columns, _same(row))

    def _controllers(self) -> Mapping[str, Row]:
        (rows,) = self.transact(select("Controller", (*CONTROLLER_COLUMNS, "external_ids")))
        return _by_uuid(rows)

    def _others(self, row: Row, controllers: Mapping[str, Row]) -> list[Reference]:
        """The controllers of a bridge that are not ours."""
        return [uuid for uuid in as_list(row["controller"]) if not self._owns(controllers[uuid])]

    def unmake_ports(self, resources: Sequence[OvsPort]) -> None:
        """Remove ports; their devices go with them."""
        gone = self._ours("Port", resources)
        bridges = {resource.bridge for resource in resources}
        self.change(
            mutate("Bridge", "ports", "delete", gone, ("name", "==", name)) for name in bridges
        )

    def _ours(self, table: str, resources: Iterable[Bridge | OvsPort]) -> list[Reference]:
        present = self._named(table, ["name", "external_ids"], resources)
        return [row["_uuid"] for row in present.values() if self._owns(row)]

    def _named(
        self, table: str, columns: Sequence[str], resources: Iterable[Bridge | OvsPort]
    ) -> dict[str, Row]:
        """The rows that have the names of resources."""
        asked = [select(table, columns, ("name", "==", resource.name)) for resource in resources]
        return {row["name"]: row for rows in self.transact(*asked) for row in rows}

    def _make_bridge(
        self, number: int, resource: Bridge, row: Row | None, controllers: Mapping[str, Row]
    ) -> Iterator[Operation]:
        settings = columns_of(resource.settings, row)
        if row is None or self._controller(row, controllers) != resource.controller:
            settings["controller"] = [] if row is None else self._others(row, controllers)
            if resource.controller:
                settings["controller"].append(Named(f"c{number}"))
                ours = {**columns_of(resource.controller), "external_ids": {OWNER: self.host}}
                yield insert("Controller", f"c{number}", ours)
        if row is None:
            local: Row = {"name": resource.name, "external_ids": {OWNER: f"{self.host}/local"}}
            yield from _insert_port(f"b{number}", local, {"type": "internal"})
            settings |= {
                "name": resource.name,
                "external_ids": {OWNER: self.host},
                "ports": [Named(f"pb{number}")],
            }
            yield insert("Bridge", f"b{number}", settings)
            yield mutate(SWITCH, "bridges", "insert", [Named(f"b{number}")])
        elif self._owns(row) or _is_free(row):
            if _is_free(row):
                settings["external_ids"] = adopted.taken(row, self.host, settings_of(row))
            yield update("Bridge", settings, _same(row))
        else:
            raise _foreign("bridge", resource.name, row)

    def _make_ports(
        self,
        resources: Sequence[OvsPort],
        present: Mapping[str, Row],
        interfaces: Mapping[str, Row],
    ) -> Iterator[Operation]:
        made: dict[str, list[Named]] = {}
        for number, resource in enumerate(resources):
            row = present.get(resource.name)
            ids = {OWNER: self.host, PLACE: resource.namespace}
            columns: Row = {
                "tag": [] if resource.tag is None else [resource.tag],
                "protected": resource.protected,
            }
            if row is None:
                port: Row = {"name": resource.name, "external_ids": ids, **columns}
                yield from _insert_port(str(number), port, resource.interface)
                made.setdefault(resource.bridge, []).append(Named(f"p{number}"))
            elif self._owns(row):
                port = {"external_ids": {**row["external_ids"], **ids}, **columns}
                interface = interfaces[resource.name]
                yield update("Port", port, _same(row))
                settings = columns_of(resource.interface, interface)
                absent: Row = {number: [] for number in NUMBERS if number not in settings}
                yield update("Interface", {**absent, **settings}, _same(interface))
            else:
                raise _foreign("port", resource.name, row)
        for bridge, ports in made.items():
            yield mutate("Bridge", "ports", "insert", ports, ("name", "==", bridge))

    def change(self, operations: Iterable[Operation]) -> None:
        """Do operations, and wait until ovs-vswitchd has done what they say."""
        count = mutate(SWITCH, "next_cfg", "+=", 1)
        *_, (switch,) = self.transact(*operations, count, select(SWITCH, ["next_cfg"]))
        self.transact(wait_until_none(SWITCH, ("cur_cfg", "<", switch["next_cfg"]), SECONDS))

    def _complain_of(self, names: set[str]) -> None:
        (failing,) = self.transact(select("Interface", ["name", "error"], ("error", "!=", ())))
        for row in failing:
            if row["name"] in names:
                raise HostError(f"Open vSwitch cannot make port {row['name']}: {row['error']}")

    def transact(self, *operations: Operation) -> list[list[Row]]:
        """Do operations, all or none; return the rows that each selected. Raise HostError."""
        try:
            return self._session.transact(*operations)
        except Refused as error:
            if error.reason == TIMED_OUT:
                raise HostError(
                    f"ovs-vswitchd has not done in {SECONDS} s what OVSDB says; see whether it "
                    "runs: systemctl status openvswitch-switch"
                ) from error
            raise HostError(f"OVSDB did not take a change: {error}") from error
        except OSError as error:
            raise HostError(f"Open vSwitch does not answer any more: {error}") from error


def _insert_port(
    name: str, port: Mapping[str, Any], interface: Mapping[str, str]
) -> Iterator[Operation]:
    """Insert a port, named with a "p" before the name, and its interface, with an "i"."""
    yield insert("Interface", f"i{name}", {"name": port["name"], **columns_of(interface)})
    yield insert("Port", f"p{name}", {**port, "interfaces": [Named(f"i{name}")]})


def _is_free(row: Row) -> bool:
    """Whether a row is no dvr_ryu's."""
    return OWNER not in row["external_ids"]


def _fail_mode(row: Row) -> str:
    return "".join(row["fail_mode"])


def _is_given(row: Row) -> bool:
    """Whether a bridge was here before us."""
    return _is_free(row) or adopted.before(row) is not None


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


def _same(row: Row) -> Clause:
    return ("_uuid", "==", row["_uuid"])


def _by_uuid(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["_uuid"]: row for row in rows}
