"""Check whether this machine has the topology's underlay: the host's address, on devices of its
MTU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from attrs import frozen

from dvr_ryu.companion.check.finding import Finding, fails, passes
from dvr_ryu.companion.providers.netlink import routing
from dvr_ryu.companion.providers.netlink.client import Netlink, netlink
from dvr_ryu.companion.providers.netlink.messages import values
from dvr_ryu.companion.providers.ovsdb.bridges import Ovsdb
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.companion.resources.openvswitch.datapath import datapath
from dvr_ryu.errors import HostError
from dvr_ryu.topology.model import Underlay
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView


@frozen
class Carrier:
    """A device by which the tunnels' packets leave: one with the host's address, or a card
    below."""

    name: str
    mtu: int
    is_bridge: bool | None
    """Whether it is a bridge of Open vSwitch; None if that does not answer."""

    def widened(self, mtu: int) -> str:
        """The command that sets another MTU. Open vSwitch decides the MTU of its own bridges."""
        if self.is_bridge:
            return f"ovs-vsctl set Interface {self.name} mtu_request={mtu}"
        return f"ip link set {self.name} mtu {mtu}"


def findings(view: HostView, datapath_type: str, database: Database) -> Iterator[Finding]:
    """Yield whether the address and the MTU are those that the tunnels need."""
    underlay, address = view.topology.underlay, view.host.address
    what = "underlay address"
    found = carriers(address, database)
    if not found:
        advice = f"ip address add {address}/{underlay.cidr.prefixlen} dev DEVICE, or edit the host"
        yield fails(what, f"{address} is on no device", advice)
        return
    device = found[0]
    # If Open vSwitch does not answer, another finding says so.
    if datapath(datapath_type).kernels_tunnels or device.is_bridge is not False:
        yield passes(what, f"{address} on {device.name}")
    else:
        advice = "without the openvswitch module: on an OVS bridge with the NIC as a port"
        yield fails(what, f"{address} on {device.name}, which is no bridge of Open vSwitch", advice)
    what, narrow = "underlay MTU", too_narrow(underlay, found)
    if narrow is not None:
        advice = f"{narrow.widened(underlay.mtu)}, or write underlay: {{mtu: {narrow.mtu}}}"
        yield fails(what, f"{narrow.name} has {narrow.mtu}, not {underlay.mtu}", advice)
    else:
        yield passes(what, f"{device.mtu}, which leaves instances {underlay.overlay_mtu}")


def shortage(topology: Topology, host: str, database: Database) -> str | None:
    """The obstacle to packets of the underlay's MTU on a host, with the remedy, in one line; for a
    host that is not in the topology, nothing.
    """
    if host not in topology.hosts:
        return None
    underlay = topology.underlay
    narrow = too_narrow(underlay, carriers(topology.hosts[host].address, database))
    if narrow is None:
        return None
    advice = f"{narrow.widened(underlay.mtu)}, or write underlay: {{mtu: {narrow.mtu}}}"
    return f"underlay.mtu is {underlay.mtu}, but {narrow.name} has {narrow.mtu}: {advice}"


def too_narrow(underlay: Underlay, found: list[Carrier]) -> Carrier | None:
    """The device that cannot take the underlay's largest packets, if one of them cannot."""
    return next((each for each in found if each.mtu < underlay.mtu), None)


def carriers(address: str, database: Database) -> list[Carrier]:
    """The devices that have an address; after a bridge of Open vSwitch, its card of the largest
    MTU, which leads to the other hosts.
    """
    with netlink(ROOT) as kernel:
        names = list(routing.devices_with(kernel, address))
        cards = _cards(names, database)
        found: list[Carrier] = []
        for name in names:
            found += _carriers(kernel, [name], None if cards is None else name in cards)
            below = _carriers(kernel, (cards or {}).get(name, []), False)
            found += sorted(below, key=lambda each: -each.mtu)[:1]
        return found


def _carriers(kernel: Netlink, names: list[str], is_bridge: bool | None) -> list[Carrier]:
    found = {name: kernel.link(name) for name in names}
    return [
        Carrier(name, values(device, "IFLA_MTU")[0], is_bridge)
        for name, device in found.items()
        if device is not None
    ]


def _cards(names: list[str], database: Database) -> dict[str, list[str]] | None:
    """Bridges of Open vSwitch among the names → their cards; None if it does not answer."""
    with suppress(HostError):
        return Ovsdb("", database).cards(names)
    return None
