"""Makes one host's part of a picture from its resources. Pure.

A namespace is named by the object that it is for: an instance, a router, a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.desired.owners import namespace_owners
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import ROOT, Namespace, in_instance
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.veth_pair import VethPair
from dvr_ryu.graph.picture import Box, Cable, CableKind, Group, Item, Kind, element_id
from dvr_ryu.topology import model
from dvr_ryu.topology.bridges import BRIDGES
from dvr_ryu.topology.view import HostView
from dvr_ryu.trace.cabling import Cabling, DeviceEnd, PortEnd, TunnelEnd

OWN_NAMESPACE = "host"
"""The name of the host's own namespace in ids; no namespace of ours has it."""


def bridge_id(host: str, bridge: str) -> str:
    """The id of a bridge."""
    return element_id(Kind.BRIDGE, host, bridge)


def namespace_id(host: str, namespace: str) -> str:
    """The id of a namespace; "" is the host's own."""
    return element_id(Kind.NAMESPACE, host, namespace or OWN_NAMESPACE)


def port_id(host: str, bridge: str, port: str) -> str:
    """The id of a port of a bridge."""
    return element_id(Kind.PORT, host, bridge, port)


def device_id(host: str, namespace: str, device: str) -> str:
    """The id of a device in a namespace; "" is the host's own."""
    return element_id(Kind.DEVICE, host, namespace or OWN_NAMESPACE, device)


def underlay_id(host: str) -> str:
    """The id of a host's connection to the underlay."""
    return element_id(Kind.UNDERLAY, host)


class Host:
    """One host of a picture: its group, and the cables between the elements of it."""

    def __init__(self, view: HostView, datapath_type: str) -> None:
        self.view = view
        self.name = view.host.name
        self.underlay = underlay_id(self.name)
        resources = desired_resources(view, datapath_type)
        self._cabling = Cabling(resources)
        self._owners = {ROOT: f"host {self.name}", **namespace_owners(view.topology)}
        self._networks = {vlan: network for network, vlan in view.local_vlans.items()}
        self._bridges = [each.name for each in resources if isinstance(each, Bridge)]
        self._ports = [each for each in resources if isinstance(each, OvsPort)]
        self._namespaces = [each.name for each in resources if isinstance(each, Namespace)]
        self._devices = [*self._shown_devices(resources)]
        pairs = [each for each in resources if isinstance(each, VethPair)]
        self._links = [each for each in pairs if each.peer_namespace != ROOT]
        self._addresses = self._all_addresses(resources)

    def _shown_devices(self, resources: Iterable[object]) -> Iterator[Device]:
        """The devices, without loopbacks and without the outer ends of pairs, which are ports."""
        ports = {each.name for each in self._ports if each.over_device}
        for each in resources:
            if isinstance(each, Device) and each.name != "lo":
                is_port = each.namespace == ROOT and each.name in ports
                if not is_port:
                    yield each

    def _all_addresses(self, resources: Iterable[object]) -> dict[tuple[str, str], list[str]]:
        """(namespace, device) → its addresses. Those that DHCP assigns are no resources."""
        found: dict[tuple[str, str], list[str]] = {}
        for port in self.view.local_ports_of(model.COMPUTE):
            own = found.setdefault((model.instance_namespace(port.name), port.card), [])
            own += [f"{fixed.ip}/{fixed.cidr.prefixlen}" for fixed in port.addresses]
        for each in resources:
            if isinstance(each, Address):
                own = found.setdefault((each.namespace, each.device), [])
                if each.address.partition("/")[0] not in (ip.partition("/")[0] for ip in own):
                    own.append(each.address)
        return found

    def gateway(self, port: model.Port) -> str:
        """The id of the device of an external network's gateway on this host."""
        return device_id(self.name, ROOT, port.device)

    # The group ------------------------------------------------------------------------------------

    def group(self) -> Group:
        """The host with its namespaces and bridges."""
        host = self.view.host
        title = f"The host {host.name}, {host.address}\nDVR MAC {host.dvr_mac}"
        boxes = (
            *(self._namespace(name) for name in self._namespaces),
            *(self._bridge(name) for name in self._bridges),
            self._own_namespace(),
        )
        id = element_id(Kind.HOST, host.name)
        return Group(id, Kind.HOST, host.name, host.address, title, boxes)

    def _bridge(self, name: str) -> Box:
        ports = [port for port in self._ports if port.bridge == name]
        left = tuple(self._port(port) for port in ports if self._is_left(port))
        others = [port for port in ports if not self._is_left(port)]
        others.sort(key=self._height)
        right = tuple(self._port(port) for port in others)
        title = f"The bridge {name} of {self.name}\n{BRIDGES[name].sentence}"
        return Box(bridge_id(self.name, name), Kind.BRIDGE, name, "", title, left, right)

    def _is_left(self, port: OvsPort) -> bool:
        """Whether a port is at the left side: those of instances, and the patches that the bridge
        declares. So instances are left of all else, and the underlay is right.
        """
        end = self._cabling.beyond_port(port.bridge, port.name)
        if isinstance(end, DeviceEnd):
            return in_instance(end.namespace)
        return isinstance(end, PortEnd) and not _declares(end.bridge, end.port)

    def _height(self, port: OvsPort) -> int:
        """The order of ports at the right side: first the ways that pass the namespaces by, so
        that cables do not cross.
        """
        end = self._cabling.beyond_port(port.bridge, port.name)
        if not isinstance(end, DeviceEnd):
            return 1
        return 0 if end.namespace == ROOT else 2

    def _namespace(self, name: str) -> Box:
        devices = [each for each in self._devices if each.namespace == name]
        # The pairs of veth devices between namespaces lead to the right.
        starts = {each.device for each in self._links if each.namespace == name}
        left = tuple(self._device(each) for each in devices if each.name not in starts)
        right = tuple(self._device(each) for each in devices if each.name in starts)
        title = f"The namespace {name} of {self.name}\nIt is for the {self._owners[name]}"
        _, _, owner = self._owners[name].partition(" ")
        id = namespace_id(self.name, name)
        return Box(id, Kind.NAMESPACE, owner, name, title, left, right)

    def _own_namespace(self) -> Box:
        """The host's own namespace: the gateways of external networks, and the underlay."""
        devices = (self._device(each) for each in self._devices if each.namespace == ROOT)
        host = self.view.host
        title = f"{host.address}, where tunnels end on {host.name}"
        underlay = Item(self.underlay, Kind.UNDERLAY, "underlay", host.address, title)
        id, title = namespace_id(self.name, ROOT), f"The own network of {host.name}"
        return Box(id, Kind.NAMESPACE, "the host itself", "", title, (*devices, underlay))

    # Items ----------------------------------------------------------------------------------------

    def _port(self, port: OvsPort) -> Item:
        number = port.interface["ofport_request"]
        lines = [f"{port.name}, port {number} of {port.bridge} on {self.name}"]
        network, detail = None, ""
        end = self._cabling.beyond_port(port.bridge, port.name)
        if port.tag is not None:
            network, detail = self._networks[port.tag], f"VLAN {port.tag}"
            lines.append(f"{detail}: the network {network}")
        if isinstance(end, DeviceEnd):
            lines.append(f"It leads to {end.device} of the {self._owners[end.namespace]}")
        elif isinstance(end, PortEnd):
            detail = f"to {end.bridge}"
            lines.append(f"A patch {detail}, {end.port}")
        elif isinstance(end, TunnelEnd):
            detail = f"to {self._host_at(end.remote)}"
            lines.append(f"{self._tunnel(port)} {detail}, {end.remote}")
        id = port_id(self.name, port.bridge, port.name)
        return Item(id, Kind.PORT, port.name, detail, "\n".join(lines), network)

    def _device(self, device: Device) -> Item:
        addresses = self._addresses.get((device.namespace, device.name), [])
        more = f" +{len(addresses) - 1}" if len(addresses) > 1 else ""
        where = f" in {device.namespace}" if device.namespace else ""
        lines = [f"{device.name}{where} on {self.name}", *filter(None, [device.mac]), *addresses]
        end = self._cabling.beyond_device(device.namespace, device.name)
        network = self._network_of(end) if isinstance(end, PortEnd) else None
        if network is not None:
            lines.append(f"The network {network}")
        id = device_id(self.name, device.namespace, device.name)
        detail = "".join(addresses[:1]) + more
        return Item(id, Kind.DEVICE, device.name, detail, "\n".join(lines), network)

    @cached_property
    def _tags(self) -> dict[tuple[str, str], int | None]:
        return {(port.bridge, port.name): port.tag for port in self._ports}

    def _network_of(self, end: PortEnd) -> str | None:
        tag = self._tags[end.bridge, end.port]
        return None if tag is None else self._networks[tag]

    def _tunnel(self, port: OvsPort) -> str:
        return f"A tunnel ({port.interface['type']})"

    @cached_property
    def _peers(self) -> dict[str, str]:
        return {host.address: host.name for host in self.view.topology.hosts.values()}

    def _host_at(self, address: str) -> str:
        return self._peers[address]

    # Cables ---------------------------------------------------------------------------------------

    def cables(self) -> Iterator[Cable]:
        """The cables between the elements of this host, and the tunnels as far as its address."""
        for port in self._ports:
            yield from self._cable_of_port(port)
        yield from map(self._link, self._links)

    def _cable_of_port(self, port: OvsPort) -> Iterator[Cable]:
        own = port_id(self.name, port.bridge, port.name)
        end = self._cabling.beyond_port(port.bridge, port.name)
        if isinstance(end, DeviceEnd):
            yield self._plug(port, own, end)
        elif isinstance(end, PortEnd) and not self._is_left(port):
            other = port_id(self.name, end.bridge, end.port)
            title = f"The patch {port.name} to {end.port}"
            yield Cable(CableKind.PATCH, own, other, title)
        elif isinstance(end, TunnelEnd):
            title = f"{self._tunnel(port)} to {self._host_at(end.remote)}, {end.remote}"
            yield Cable(CableKind.TUNNEL, own, self.underlay, title)

    def _plug(self, port: OvsPort, own: str, end: DeviceEnd) -> Cable:
        device = device_id(self.name, end.namespace, end.device)
        network = self._network_of(PortEnd(port.bridge, port.name))
        kind = CableKind.VETH if port.over_device else CableKind.INTERNAL
        what = "A pair of veth devices" if port.over_device else "Open vSwitch's own device"
        inside = end.namespace or self.name
        title = f"{what}: {port.name} of {port.bridge}, {end.device} of {inside}"
        start, other = (device, own) if self._is_left(port) else (own, device)
        return Cable(kind, start, other, title, network)

    def _link(self, pair: VethPair) -> Cable:
        """A pair of veth devices between two namespaces."""
        title = (
            f"A pair of veth devices: {pair.device} of {pair.namespace}, "
            f"{pair.peer} of {pair.peer_namespace}"
        )
        start = device_id(self.name, pair.namespace, pair.device)
        return Cable(
            CableKind.VETH, start, device_id(self.name, pair.peer_namespace, pair.peer), title
        )


def _declares(bridge: str, port: str) -> bool:
    """Whether a bridge declares the patch of which it has this end."""
    return any(patch.here.name == port for patch in BRIDGES[bridge].patches)
