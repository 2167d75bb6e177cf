"""Convert rows of OVSDB to settings of ovs-vsctl, and back: the columns that we set. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.openvswitch.vsctl import NETNS

Columns: TypeAlias = "Mapping[str, Any]"
"""A row of a table: column → value. A set is a list."""

BRIDGE_COLUMNS = (
    "name", "ports", "controller", "external_ids", "other_config", "datapath_type", "fail_mode",
    "mcast_snooping_enable", "protocols",
)  # fmt: skip
CONTROLLER_COLUMNS = ("target", "connection_mode", "max_backoff")
"""The columns that we set of a controller; external_ids name its owner."""
TLS_COLUMNS = ("private_key", "certificate", "ca_cert", "bootstrap_ca_cert")
PORT_COLUMNS = ("name", "interfaces", "external_ids", "tag", "protected")
NUMBERS = ("ofport_request", "mtu_request")
INTERFACE_COLUMNS = ("name", "type", "options", "external_ids", *NUMBERS)
BRIDGE_CONFIG = ("datapath-id", "disable-in-band", "dp-desc", "hwaddr")
"""The keys that we set in a bridge's other_config; other keys are foreign."""
INTERFACE_IDS = ("attached-mac", "iface-id", "iface-status")


def columns_of(settings: Mapping[str, str], row: Columns | None = None) -> dict[str, Any]:
    """Columns from settings: `column` → a value, `column:key` → one key of a map.

    Other keys of a map in `row` stay, except that an interface's options are all ours.
    """
    columns: dict[str, Any] = {}
    for name, value in settings.items():
        column, colon, key = name.partition(":")
        if colon:
            present = row[column] if row and column != "options" else {}
            columns.setdefault(column, dict(present))[key] = value
        else:
            columns[column] = _TYPED.get(column, str)(value)
    return columns


_TYPED: dict[str, Callable[[str], Any]] = {
    "bootstrap_ca_cert": lambda value: value == "true",
    "mcast_snooping_enable": lambda value: value == "true",
    **dict.fromkeys(NUMBERS, int),
    "max_backoff": int,
    "fail_mode": lambda value: [value] if value else [],
    "protocols": lambda value: value.split(",") if value else [],
}


def settings_of(row: Columns) -> dict[str, str]:
    """The settings of a bridge that are ours to set."""
    return {
        "datapath_type": row["datapath_type"],
        "fail_mode": "".join(row["fail_mode"]),
        "mcast_snooping_enable": "true" if row["mcast_snooping_enable"] else "false",
        "protocols": ",".join(sorted(row["protocols"])),
        **_some("other_config", row["other_config"], BRIDGE_CONFIG),
    }


def port_of(bridge: str, row: Columns, interface: Columns) -> OvsPort:
    """The port that two rows form."""
    settings = {
        **_some("external_ids", interface["external_ids"], INTERFACE_IDS),
        **_some("options", interface["options"], interface["options"]),
    }
    for column in NUMBERS:
        for number in interface[column]:
            settings[column] = str(number)
    if interface["type"]:
        settings["type"] = interface["type"]
    tag = next(iter(row["tag"]), None)
    namespace = row["external_ids"].get(NETNS, "")
    # Nobody looks for a device behind a port of another type: there, the error tells of the loss.
    has_device = interface["type"] in ("", "internal")
    lost = not has_device and bool(interface["error"])
    return OvsPort(bridge, row["name"], namespace, tag, settings, row["protected"], lost)


def failure_of(interface: Columns) -> str:
    """Open vSwitch's reason why an interface is not there; empty if it is.

    A bridge that could not be made has none: then its interfaces were not even tried.
    """
    if interface["error"]:
        return "".join(interface["error"])
    return "" if interface["ofport"] else "/var/log/openvswitch/ovs-vswitchd.log tells why"


def _some(column: str, values: Mapping[str, str], keys: Iterable[str]) -> dict[str, str]:
    return {f"{column}:{key}": values[key] for key in keys if key in values}
