"""Find the rows of a host's relations that an edit changes, by the objects that it touches. Pure.

Relations of ports may have very many rows: only those are made again whose port, or other object,
changed. The other relations are short: if an object changed on which they may depend, their rows
are compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from dvr_ryu.topology.changes import TopologyChange
from dvr_ryu.topology.model import Port
from dvr_ryu.topology.relations import RELATIONS
from dvr_ryu.topology.view import HostView

Row = Any


class RowChange(NamedTuple):
    """The change of one relation's rows."""

    relation: str
    removed: list[Row]
    added: list[Row]


_RowsOfPorts = Callable[[HostView, Iterable[Port]], Iterator[Row]]

_OF_PORTS: dict[str, _RowsOfPorts] = {
    "remote_port": HostView.remote_ports,
    "own_port": HostView.own_ports,
    "awaited_port": HostView.awaited_ports,
    "routed_port": HostView.routed_ports,
}


_VIRTUAL = ("virtual_ip", "sharing_port", "virtual_mac", "virtual_port", "moving_mac")


def row_changes(before: HostView, after: HostView, change: TopologyChange) -> Iterator[RowChange]:
    """The change of each relation, for two views of one host whose topologies differ by `change`.

    The rows of `host` are not among them: each caller that uses them compares them itself.
    """
    for relation in _short_relations(before, change):
        yield _compared(relation, getattr(before, relation), getattr(after, relation))
    touched = _Touched(before, after, change)
    removed = (*change.ports_removed, *touched.ports(before, change.ports_removed))
    added = (*change.ports_added, *touched.ports(after, change.ports_added))
    for relation, rows_of in _OF_PORTS.items():
        yield RowChange(relation, list(rows_of(before, removed)), list(rows_of(after, added)))


def _short_relations(view: HostView, change: TopologyChange) -> Iterable[str]:
    """The relations that the change may concern."""
    if change.hosts or change.networks or change.routers or change.presence:
        return RELATIONS.keys() - _OF_PORTS.keys()
    ports = (*change.ports_removed, *change.ports_added)
    # The ports on the host determine its routers.
    local = any(port.host == view.host.name or port.roams for port in ports)
    moving = view.topology.virtual_ips
    virtual = any(
        port.address_pairs or any((port.network, each.ip) in moving for each in port.addresses)
        for port in ports
    )
    return (
        *(("local_gateway", "routed_network", "dhcp_server") if local else ()),
        *(_VIRTUAL if virtual else ()),
    )


def _compared(relation: str, before: Iterable[Row], after: Iterable[Row]) -> RowChange:
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    removed, added = [row for row in old if row not in new], [row for row in new if row not in old]
    return RowChange(relation, removed, added)


class _Touched:
    """The objects in ports' rows besides the port: its network on this host, and its host."""

    def __init__(self, before: HostView, after: HostView, change: TopologyChange) -> None:
        vlans = before.local_vlans.items() ^ after.local_vlans.items()
        self._networks = {*change.networks, *(network for network, _ in vlans)}
        for view in (before, after):
            routers = view.topology.routers
            for name in change.routers & routers.keys():
                self._networks.update(each.network for each in routers[name].interfaces)
        self._hosts = change.hosts

    def ports(self, view: HostView, changed: Iterable[Port]) -> list[Port]:
        """The other ports that are touched."""
        if not self._networks and not self._hosts:
            return []
        already = set(changed)
        return [
            port
            for port in view.topology.ports
            if (port.network in self._networks or port.host in self._hosts) and port not in already
        ]
