"""Bridges and ports in OVSDB, over its local socket: one transaction for all that is asked at once.

Ours are the rows whose external_ids say dvr_ryu=HOST; no other row is touched.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from dvr_ryu.companion.edges.ovs_library import command, connection, idlutils, impl_idl
from dvr_ryu.companion.facts.kinds import Bridge, OvsPort
from dvr_ryu.errors import HostError

SOCKET = "unix:/run/openvswitch/db.sock"
SECONDS = 20
"""How long OVS may take for one transaction, until ovs-vswitchd has done what it says."""

OWNER = "dvr_ryu"
PLACE = "dvr_ryu_netns"
COLUMNS = {
    "Open_vSwitch": ["bridges", "next_cfg", "cur_cfg"],
    "Bridge": [
        "name", "ports", "controller", "external_ids", "other_config", "datapath_type",
        "fail_mode", "mcast_snooping_enable", "protocols",
    ],
    "Controller": ["target", "connection_mode", "max_backoff"],
    "Port": ["name", "interfaces", "external_ids", "tag"],
    "Interface": ["name", "type", "options", "external_ids", "ofport_request", "error"],
}  # fmt: skip
BRIDGE_CONFIG = ("datapath-id", "disable-in-band", "dp-desc", "hwaddr")
"""What we say in a bridge's other_config; other keys are other people's."""
INTERFACE_IDS = ("attached-mac", "iface-id", "iface-status")

logging.getLogger("ovsdbapp").setLevel(logging.CRITICAL)
logging.getLogger("ovs").setLevel(logging.CRITICAL)


class Ovsdb:
    """A connection to this host's OVSDB, on behalf of one host of a topology."""

    def __init__(self, host: str) -> None:
        """Raise HostError if Open vSwitch does not answer."""
        self.host = host
        try:
            helper = idlutils.get_schema_helper(SOCKET, "Open_vSwitch")
            for table, columns in COLUMNS.items():
                helper.register_columns(table, columns)
            idl = connection.OvsdbIdl(SOCKET, helper)
            self._connection = connection.Connection(idl, timeout=SECONDS)
            self._api = impl_idl.OvsdbIdl(self._connection)
        except Exception as error:
            raise HostError(
                "Open vSwitch does not answer at /run/openvswitch/db.sock; start it: "
                "systemctl start openvswitch-switch (Debian: apt install openvswitch-switch)"
            ) from error

    def close(self) -> None:
        """End the connection."""
        self._connection.stop()

    # What is ------------------------------------------------------------------------------------

    def read(self) -> tuple[list[Bridge], list[OvsPort]]:
        """Return our bridges and our ports."""
        with self._connection.lock:
            ours = [row for row in self._rows("Bridge") if self._owns(row)]
            bridges = [_bridge(row) for row in ours]
            ports = [
                _port(bridge.name, row)
                for bridge in ours
                for row in bridge.ports
                if self._owns(row)
            ]
        return bridges, ports

    def _rows(self, table: str) -> list[Any]:
        return list(self._api.tables[table].rows.values())

    def _owns(self, row: Any) -> bool:
        return bool(row.external_ids.get(OWNER) == self.host)

    # The change ---------------------------------------------------------------------------------

    def make_bridges(self, facts: Sequence[Bridge]) -> None:
        """Make bridges, or change them to what they should be."""

        def edit(transaction: Any) -> None:
            for fact in facts:
                self._make_bridge(transaction, fact)

        self._transact(edit)

    def make_ports(self, facts: Sequence[OvsPort]) -> None:
        """Make ports, or change them to what they should be."""

        def edit(transaction: Any) -> None:
            bridges = {row.name: row for row in self._rows("Bridge")}
            present = {row.name: row for row in self._rows("Port")}
            for fact in facts:
                row = present.get(fact.name)
                self._make_port(transaction, bridges[fact.bridge], row, fact)

        self._transact(edit)
        self._complain_of({fact.name for fact in facts})

    def unmake_bridges(self, facts: Sequence[Bridge]) -> None:
        """Remove bridges with all that is on them."""
        names = {fact.name for fact in facts}

        def edit(transaction: Any) -> None:
            for row in self._rows("Bridge"):
                if row.name in names and self._owns(row):
                    self._api._ovs.delvalue("bridges", row)

        self._transact(edit)

    def unmake_ports(self, facts: Sequence[OvsPort]) -> None:
        """Remove ports; their devices go with them."""
        names = {fact.name for fact in facts}

        def edit(transaction: Any) -> None:
            for bridge in self._rows("Bridge"):
                for port in bridge.ports if self._owns(bridge) else ():
                    if port.name in names and self._owns(port):
                        bridge.delvalue("ports", port)

        self._transact(edit)

    def _make_bridge(self, transaction: Any, fact: Bridge) -> None:
        row = next((row for row in self._rows("Bridge") if row.name == fact.name), None)
        if row is None:
            row = transaction.insert(self._api.tables["Bridge"])
            row.name = fact.name
            own = self._insert_port(transaction, row, fact.name, {"type": "internal"})
            own.setkey("external_ids", OWNER, f"{self.host}/local")
            row.setkey("external_ids", OWNER, self.host)
            self._api._ovs.addvalue("bridges", row)
        elif not self._owns(row):
            raise _foreign("bridge", fact.name, row)
        _set(row, fact.settings)
        if _controller(row) != fact.controller:
            row.controller = self._controllers(transaction, fact)

    def _controllers(self, transaction: Any, fact: Bridge) -> list[Any]:
        if not fact.controller:
            return []
        row = transaction.insert(self._api.tables["Controller"])
        _set(row, fact.controller)
        return [row]

    def _make_port(self, transaction: Any, bridge: Any, row: Any, fact: OvsPort) -> None:
        if row is None:
            row = self._insert_port(transaction, bridge, fact.name, fact.interface)
        elif not self._owns(row):
            raise _foreign("port", fact.name, row)
        else:
            _set(row.interfaces[0], fact.interface)
        row.tag = [] if fact.tag is None else [fact.tag]
        row.setkey("external_ids", OWNER, self.host)
        row.setkey("external_ids", PLACE, fact.namespace)

    def _insert_port(
        self, transaction: Any, bridge: Any, name: str, settings: Mapping[str, str]
    ) -> Any:
        interface = transaction.insert(self._api.tables["Interface"])
        interface.name = name
        _set(interface, settings)
        port = transaction.insert(self._api.tables["Port"])
        port.name = name
        port.interfaces = [interface]
        bridge.addvalue("ports", port)
        return port

    def _transact(self, edit: Callable[[Any], object]) -> None:
        try:
            with self._api.transaction(check_error=True, log_errors=False) as transaction:
                transaction.add(_Edit(self._api, edit))
        except HostError:
            raise
        except Exception as error:
            raise HostError(f"OVSDB did not take a change: {error}") from error
        with self._connection.lock:
            own = self._api._ovs
            if own.cur_cfg < own.next_cfg:
                raise HostError(
                    f"ovs-vswitchd has not done in {SECONDS} s what OVSDB says; see whether it "
                    "runs: systemctl status openvswitch-switch"
                )

    def _complain_of(self, names: set[str]) -> None:
        with self._connection.lock:
            for row in self._rows("Interface"):
                if row.name in names and row.error:
                    raise HostError(f"Open vSwitch cannot make port {row.name}: {row.error[0]}")


class _Edit(command.BaseCommand):  # type: ignore[misc, name-defined]
    """A function on rows, run within a transaction; again, if OVSDB changed meanwhile."""

    def __init__(self, api: Any, edit: Callable[[Any], object]) -> None:
        super().__init__(api)
        self._edit = edit

    def run_idl(self, txn: Any) -> None:
        self._edit(txn)


def _foreign(what: str, name: str, row: Any) -> HostError:
    owner = row.external_ids.get(OWNER)
    if owner:
        return HostError(
            f"the {what} {name} is dvr_ryu's for host {owner}; if this machine is no longer "
            f"that host: dvr companion down --host {owner}"
        )
    return HostError(
        f"the {what} {name} exists and is not dvr_ryu's; if nothing needs it, remove it: "
        f"ovs-vsctl del-{'br' if what == 'bridge' else 'port'} {name}"
    )


# Rows and ovs-vsctl's words ----------------------------------------------------------------------


def _set(row: Any, settings: Mapping[str, str]) -> None:
    """Set columns: `column` → a value, `column:key` → one key of a map. Other keys stay, save that
    an interface's options are all ours."""
    maps: dict[str, dict[str, str]] = {}
    for name, value in settings.items():
        column, colon, key = name.partition(":")
        if colon:
            present = {} if column == "options" else dict(getattr(row, column, {}))
            maps.setdefault(column, present)[key] = value
        else:
            setattr(row, column, _TYPED.get(column, str)(value))
    for column, values in maps.items():
        setattr(row, column, values)


_TYPED: dict[str, Callable[[str], Any]] = {
    "mcast_snooping_enable": lambda value: value == "true",
    "ofport_request": lambda value: [int(value)],
    "max_backoff": lambda value: [int(value)],
    "protocols": lambda value: value.split(","),
    "fail_mode": lambda value: [value],
    "connection_mode": lambda value: [value],
}


def _bridge(row: Any) -> Bridge:
    settings = {
        "datapath_type": row.datapath_type,
        "fail_mode": "".join(row.fail_mode),
        "mcast_snooping_enable": "true" if row.mcast_snooping_enable else "false",
        "protocols": ",".join(sorted(row.protocols)),
        **_some("other_config", row.other_config, BRIDGE_CONFIG),
    }
    return Bridge(row.name, settings, _controller(row))


def _controller(row: Any) -> dict[str, str]:
    """The settings of a bridge's one controller; {} for none, or several, which are not ours."""
    rows = getattr(row, "controller", [])
    if len(rows) != 1:
        return {}
    row = rows[0]
    return {
        "target": row.target,
        "connection_mode": "".join(row.connection_mode),
        "max_backoff": "".join(map(str, row.max_backoff)),
    }


def _port(bridge: str, row: Any) -> OvsPort:
    interface = row.interfaces[0]
    settings = {
        **_some("external_ids", interface.external_ids, INTERFACE_IDS),
        **_some("options", interface.options, interface.options),
    }
    if interface.ofport_request:
        settings["ofport_request"] = str(interface.ofport_request[0])
    if interface.type:
        settings["type"] = interface.type
    tag = row.tag[0] if row.tag else None
    return OvsPort(bridge, row.name, row.external_ids.get(PLACE, ""), tag, settings)


def _some(column: str, values: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    return {f"{column}:{key}": values[key] for key in keys if key in values}
