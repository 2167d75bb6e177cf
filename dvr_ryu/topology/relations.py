"""Define the relations over which flows/ can repeat a block: their rows and fields.

A row is a plain value; a field's annotation names its kind of number, against which a hole in a
flow line is checked. The documentation of flows/ prints these sentences. No logic here: `view`
makes the rows.
"""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Any, NamedTuple, get_type_hints

from attrs import frozen

from dvr_ryu.topology.bridges import Plug, bridge_of


class Kind(Enum):
    """The kind of a field: the holes that it may fill, and its syntax."""

    MAC = "MAC address"
    IPV4 = "IPv4 address"
    IPV6 = "IPv6 address"
    VLAN = "VLAN tag"
    VNI = "VNI"
    PROTOCOL = "IP protocol"
    L4_PORT = "L4 port"
    MASKED = "masked number"
    PORT = "port"
    PORTS = "list of ports"
    NAME = "name"


@frozen
class MaskedNumber:
    """A number of which only the bits of `mask` count: without any bit, every number. An interval,
    such as a range of ports, takes several of them.

    A field of a relation that is one also says how many bits it has, before its sentence:
    Annotated[MaskedNumber, Kind.MASKED, 16, "the ports"].
    """

    value: int
    mask: int

    def __str__(self) -> str:
        return f"{self.value:#x}/{self.mask:#x}"


Mac = Annotated[str, Kind.MAC]
Ipv4 = Annotated[str, Kind.IPV4]
Vlan = Annotated[int, Kind.VLAN]
Vni = Annotated[int, Kind.VNI]
Ipv6 = Annotated[str, Kind.IPV6]
Protocol = Annotated[int, Kind.PROTOCOL]
L4Port = Annotated[int, Kind.L4_PORT]
IntPort = Annotated[str, Kind.PORT, bridge_of(Plug.DEVICES)]
IntPorts = Annotated[tuple[str, ...], Kind.PORTS, bridge_of(Plug.DEVICES)]
TunPort = Annotated[str, Kind.PORT, bridge_of(Plug.TUNNELS)]
TunPorts = Annotated[tuple[str, ...], Kind.PORTS, bridge_of(Plug.TUNNELS)]
Name = Annotated[str, Kind.NAME]


class ThisHost(NamedTuple):
    """This host: one row, whose fields every flow may name."""

    name: Annotated[Name, "the host's name"]
    address: Annotated[Ipv4, "its address on the underlay"]
    dvr_mac: Annotated[Mac, "its DVR host MAC: the source of all that it routes, on the wire"]


class Tunnel(NamedTuple):
    """Every other host, as it is seen from here."""

    host: Annotated[Name, "the other host's name"]
    address: Annotated[Ipv4, "its address on the underlay"]
    dvr_mac: Annotated[Mac, "its DVR host MAC"]
    port: Annotated[TunPort, "the tunnel port on br-tun that leads to it"]


class LocalNetwork(NamedTuple):
    """Every network that has a port, or a router's port, on this host."""

    name: Annotated[Name, "the network's name"]
    vlan: Annotated[Vlan, "its local VLAN tag on this host"]
    vni: Annotated[Vni, "its VNI, the same everywhere"]
    flood: Annotated[TunPorts, "the tunnel ports to the other hosts that have the network"]


class Gateway(NamedTuple):
    """Every router's distributed port on a network of this host."""

    router: Annotated[Name, "the router's name"]
    network: Annotated[Name, "the network's name"]
    vlan: Annotated[Vlan, "the network's local VLAN tag"]
    mac: Annotated[Mac, "the MAC that the port has on every host"]
    ip: Annotated[Ipv4, "the address that the port has on every host"]
    vni: Annotated[Vni, "the network's VNI"]
    flood: Annotated[TunPorts, "the tunnel ports to the other hosts that have the network"]


class LocalGateway(NamedTuple):
    """The gateways whose router is on this host: each is a device on br-int."""

    router: Annotated[Name, "the router's name"]
    network: Annotated[Name, "the network's name"]
    vlan: Annotated[Vlan, "the network's local VLAN tag"]
    mac: Annotated[Mac, "the MAC that the port has on every host"]
    ip: Annotated[Ipv4, "the address that the port has on every host"]
    port: Annotated[IntPort, "its qr- port on br-int"]


class RoutedNetwork(NamedTuple):
    """Every network of this host that a router of this host joins."""

    name: Annotated[Name, "the network's name"]
    vlan: Annotated[Vlan, "its local VLAN tag on this host"]
    ports: Annotated[IntPorts, "the qr- ports on br-int of all routers that join it here"]
    gateway_port: Annotated[IntPort, "of these, that of the gateway: of several, the first"]
    gateway_mac: Annotated[Mac, "that gateway's MAC"]


class DhcpServer(NamedTuple):
    """Every DHCP server of this host that other hosts have, too, each for itself."""

    network: Annotated[Name, "the name of the network that it serves"]
    vlan: Annotated[Vlan, "the network's local VLAN tag"]
    mac: Annotated[Mac, "the MAC that the server has on every host"]
    ip: Annotated[Ipv4, "an address that the server has on every host"]


class RemotePort(NamedTuple):
    """Every address of a port on another host, of a network of this host."""

    name: Annotated[Name, "the instance, network or router that the port belongs to"]
    network: Annotated[Name, "the network's name"]
    vlan: Annotated[Vlan, "the network's local VLAN tag on this host"]
    vni: Annotated[Vni, "the network's VNI"]
    mac: Annotated[Mac, "the port's MAC"]
    ip: Annotated[Ipv4, "the address: one of the port's fixed ones"]
    host: Annotated[Name, "the host that has the port"]
    tunnel: Annotated[TunPort, "the tunnel port on br-tun that leads to that host"]


class OwnPort(NamedTuple):
    """Every port on this host, but for the routers' distributed ones."""

    name: Annotated[Name, "the instance, network or router that the port belongs to"]
    network: Annotated[Name, "the network's name"]
    vlan: Annotated[Vlan, "the network's local VLAN tag"]
    mac: Annotated[Mac, "the port's MAC"]
    port: Annotated[IntPort, "its port on br-int"]


class AwaitedPort(NamedTuple):
    """Every port on another host whose instance roams: it may be plugged in here, too, and announce
    itself here.
    """

    name: Annotated[Name, "the instance"]
    network: Annotated[Name, "the network's name"]
    mac: Annotated[Mac, "the port's MAC"]
    host: Annotated[Name, "the host on which it is"]
    port: Annotated[IntPort, "its port on this host's br-int"]


class RoutedPort(NamedTuple):
    """Every port on this host with an address in a subnet that a router joins, or one that it may
    share: it gets what other hosts routed.
    """

    name: Annotated[Name, "the instance, network or router that the port belongs to"]
    network: Annotated[Name, "the network's name"]
    vlan: Annotated[Vlan, "the network's local VLAN tag"]
    mac: Annotated[Mac, "the port's MAC"]
    ip: Annotated[Ipv4, "the port's address: of several, the first in such a subnet"]
    port: Annotated[IntPort, "its port on br-int"]
    gateway_mac: Annotated[Mac, "the MAC of the gateway that the port knows"]


class VirtualIp(NamedTuple):
    """Every address on a network of this host that moves from one instance to another by itself."""

    network: Annotated[Name, "the network's name"]
    vlan: Annotated[Vlan, "the network's local VLAN tag"]
    ip: Annotated[Ipv4, "the address: the one of an allowed_address_pair"]


class SharingPort(NamedTuple):
    """Every port on this host that may have an address which moves by itself, once for each."""

    name: Annotated[Name, "the instance"]
    network: Annotated[Name, "the network's name"]
    ip: Annotated[Ipv4, "the address: one of virtual_ip"]
    port: Annotated[IntPort, "the port on br-int"]


class VirtualMac(NamedTuple):
    """Every MAC that an instance on this host may use besides its own, in a routed subnet."""

    network: Annotated[Name, "the network's name"]
    vlan: Annotated[Vlan, "the network's local VLAN tag"]
    mac: Annotated[Mac, "the MAC: that of an allowed_address_pair"]
    ports: Annotated[IntPorts, "the ports on br-int of those that may use it"]
    gateway_mac: Annotated[Mac, "the MAC of the gateway that they know"]


class VirtualPort(NamedTuple):
    """Every port on this host that may use a MAC besides its own, once for each."""

    network: Annotated[Name, "the network's name"]
    vlan: Annotated[Vlan, "the network's local VLAN tag"]
    mac: Annotated[Mac, "the MAC: that of an allowed_address_pair"]
    port: Annotated[IntPort, "the port on br-int"]


class MovingMac(NamedTuple):
    """Every MAC on a network of this host that moves from one instance to another by itself."""

    network: Annotated[Name, "the network's name"]
    vlan: Annotated[Vlan, "the network's local VLAN tag"]
    mac: Annotated[Mac, "the MAC: that of an allowed_address_pair"]


RELATIONS: dict[str, type[Any]] = {
    "tunnel": Tunnel,
    "network": LocalNetwork,
    "gateway": Gateway,
    "local_gateway": LocalGateway,
    "routed_network": RoutedNetwork,
    "dhcp_server": DhcpServer,
    "remote_port": RemotePort,
    "own_port": OwnPort,
    "awaited_port": AwaitedPort,
    "routed_port": RoutedPort,
    "virtual_ip": VirtualIp,
    "sharing_port": SharingPort,
    "virtual_mac": VirtualMac,
    "virtual_port": VirtualPort,
    "moving_mac": MovingMac,
}
"""The relations that may follow `each`, by name. `host` has one row and needs no `each`."""


class FieldDoc(NamedTuple):
    """One field of a relation: its kind and the sentence that documents it; of a port the bridge
    that has it, of a masked number its bits.
    """

    kind: Kind
    sentence: str
    bridge: str | None = None
    bits: int | None = None


def fields_of(row_type: type[Any]) -> dict[str, FieldDoc]:
    """Field name → kind and sentence, in the order of the row's values."""
    hints = get_type_hints(row_type, include_extras=True)
    return {name: _doc(*hints[name].__metadata__) for name in row_type._fields}


def _doc(kind: Kind, *rest: Any) -> FieldDoc:
    *more, sentence = rest
    match kind:
        case Kind.PORT | Kind.PORTS:
            (bridge,) = more
            return FieldDoc(kind, sentence, bridge=bridge)
        case Kind.MASKED:
            (bits,) = more
            return FieldDoc(kind, sentence, bits=bits)
    return FieldDoc(kind, sentence)
