"""Says where each port and device of a host leads, from the host's resources. Pure.

Cables are pairs of veth devices, the devices that Open vSwitch makes for its ports, patches between
bridges, and tunnels. It moves no packet.
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.veth_pair import VethPair


@frozen
class DeviceEnd:
    """A device in a namespace of this host."""

    namespace: str
    device: str


@frozen
class PortEnd:
    """A port of a bridge of this host."""

    bridge: str
    port: str


@frozen
class TunnelEnd:
    """The far end of a tunnel: the underlay address of another host."""

    remote: str


End = DeviceEnd | PortEnd | TunnelEnd


class Cabling:
    """The cables of one host."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        resources = tuple(resources)
        self._beyond_device: dict[DeviceEnd, End] = {}
        self._beyond_port: dict[PortEnd, End] = {}
        bridge_of: dict[str, str] = {}
        for each in resources:
            if isinstance(each, OvsPort):
                bridge_of[each.name] = each.bridge
        for each in resources:
            if isinstance(each, VethPair):
                self._join(each, bridge_of)
            elif isinstance(each, OvsPort):
                self._add_port(each, bridge_of)

    def beyond_device(self, namespace: str, device: str) -> End | None:
        """The end that gets what leaves by a device; None if no cable leads there."""
        return self._beyond_device.get(DeviceEnd(namespace, device))

    def beyond_port(self, bridge: str, port: str) -> End | None:
        """The end that gets what leaves by a bridge's port; None if no cable leads there."""
        return self._beyond_port.get(PortEnd(bridge, port))

    def _join(self, pair: VethPair, bridge_of: dict[str, str]) -> None:
        inner = DeviceEnd(pair.namespace, pair.device)
        outer = DeviceEnd(pair.peer_namespace, pair.peer)
        if pair.peer_namespace == ROOT and pair.peer in bridge_of:
            port = PortEnd(bridge_of[pair.peer], pair.peer)
            self._beyond_port[port] = inner
            self._beyond_device[inner] = port
        else:
            self._beyond_device[outer] = inner
            self._beyond_device[inner] = outer

    def _add_port(self, port: OvsPort, bridge_of: dict[str, str]) -> None:
        end = PortEnd(port.bridge, port.name)
        if "options:peer" in port.interface:
            peer = port.interface["options:peer"]
            if peer in bridge_of:
                self._beyond_port[end] = PortEnd(bridge_of[peer], peer)
        elif "options:remote_ip" in port.interface:
            self._beyond_port[end] = TunnelEnd(port.interface["options:remote_ip"])
        elif not port.over_device:
            device = DeviceEnd(port.namespace, port.name)
            self._beyond_port[end] = device
            self._beyond_device[device] = end
