"""The providers of bridges, ports and settings for TLS, which share a look's reading of Open
vSwitch."""

from __future__ import annotations

from collections.abc import Sequence

from dvr_ryu.companion.foreign import ForeignItem
from dvr_ryu.companion.providers.ovsdb.bridges import Ovsdb
from dvr_ryu.companion.providers.ovsdb.guest_ports import GuestPorts
from dvr_ryu.companion.providers.ovsdb.tls import TlsTable
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.plugged_port import PluggedPort
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.openvswitch.tls import SwitchTls


class Switch:
    """Open vSwitch, as one look sees it."""

    def __init__(self, ovsdb: Ovsdb) -> None:
        self._ovsdb = ovsdb
        self.foreign: list[ForeignItem] = []
        """The foreign items that the last look saw on our bridges."""

    def read(self, look: Look) -> tuple[list[Bridge], list[OvsPort]]:
        """Return our bridges and our ports."""
        named = {(Bridge.kind, each.name) for each in look.wanted(Bridge)}
        named |= {(OvsPort.kind, each.name) for each in look.wanted(OvsPort)}
        bridges, ports, self.foreign = self._ovsdb.read(named)
        return bridges, ports


class Bridges(Provider):
    """The provider of bridges."""

    kinds = (Bridge,)
    waits = True

    def __init__(self, ovsdb: Ovsdb, switch: Switch) -> None:
        self._ovsdb, self._switch = ovsdb, switch

    def read(self, look: Look) -> Sequence[Bridge]:
        """Return our bridges, and foreign ones that have names of ours."""
        bridges, _ = look.once(self._switch.read)
        return bridges

    def make(self, resources: Sequence[Bridge]) -> None:
        """Make bridges, or change them."""
        self._ovsdb.make_bridges(resources)

    def remove(self, resources: Sequence[Bridge]) -> None:
        """Remove bridges; release adopted ones."""
        self._ovsdb.remove_bridges(resources)


class Ports(Provider):
    """The provider of ports."""

    kinds = (OvsPort,)

    def __init__(self, ovsdb: Ovsdb, switch: Switch) -> None:
        self._ovsdb, self._switch = ovsdb, switch

    def read(self, look: Look) -> Sequence[OvsPort]:
        """Return our ports, as Open vSwitch has them: it does not know whether their devices are
        there.
        """
        _, ports = look.once(self._switch.read)
        return ports

    def make(self, resources: Sequence[OvsPort]) -> None:
        """Make ports, or change them."""
        self._ovsdb.make_ports(resources)

    def remove(self, resources: Sequence[OvsPort]) -> None:
        """Remove ports; their devices go with them."""
        self._ovsdb.remove_ports(resources)


class PluggedPorts(Provider):
    """The provider of the settings of ports that others plugged in."""

    kinds = (PluggedPort,)

    def __init__(self, guests: GuestPorts) -> None:
        self._guests = guests

    def read(self, look: Look) -> Sequence[PluggedPort]:
        """Return those that we use."""
        return self._guests.read()

    def make(self, resources: Sequence[PluggedPort]) -> None:
        """Set what they should have, and note what they had."""
        self._guests.make(resources)

    def remove(self, resources: Sequence[PluggedPort]) -> None:
        """Give them back as they were."""
        self._guests.remove(resources)


class TlsSettings(Provider):
    """The provider of the settings for TLS."""

    kinds = (SwitchTls,)

    def __init__(self, table: TlsTable) -> None:
        self._table = table
        self.foreign: list[ForeignItem] = []
        """The foreign settings that ours replace."""

    def read(self, look: Look) -> Sequence[SwitchTls]:
        """Return our settings; foreign ones, too, if they are to be replaced."""
        settings, self.foreign = self._table.read(any(look.wanted(SwitchTls)))
        return settings

    def make(self, resources: Sequence[SwitchTls]) -> None:
        """Write the desired settings."""
        self._table.make(resources)

    def remove(self, resources: Sequence[SwitchTls]) -> None:
        """Restore the settings from before us, or none."""
        self._table.remove(resources)
