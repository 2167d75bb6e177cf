"""Define the desired hosts, networks, routers, ports and floating addresses as frozen values.
`topology` combines them.

Every number is final here: the file pins it, or `allocation` chose it. A model is a value: equal
models have the same desired flows and Linux devices. This module does not read, compute or send.
MACs and addresses are text in canonical form: "fa:16:3e:35:25:42", "192.168.10.1".
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import NamedTuple, TypeAlias

from attrs import field, frozen

from dvr_ryu.topology.family import IpNetwork

VXLAN = "vxlan"
TUNNEL_OVERHEADS = {VXLAN: 50, "geneve": 50, "gre": 42}
"""Neutron's tunnel type → the bytes that it adds to an inner IP packet: 20 IP, its own header and
14 inner Ethernet. VXLAN and Geneve (without options) have 8 after 8 of UDP, GRE with its key has 8.
"""

COMPUTE = "compute:nova"
DHCP = "network:dhcp"
ROUTER_INTERFACE = "network:router_interface_distributed"
ROUTER_SNAT = "network:router_centralized_snat"
ROUTER_GATEWAY = "network:router_gateway"
AGENT_GATEWAY = "network:floatingip_agent_gateway"
EXTERNAL_GATEWAY = "dvr_ryu:external_gateway"
"""Neutron's device owners of ports; the last is a network's gateway_ip, on its gateway_host."""

DEVICE_PREFIXES = {
    COMPUTE: "tap",
    DHCP: "tap",
    ROUTER_SNAT: "sg-",
    ROUTER_GATEWAY: "qg-",
    AGENT_GATEWAY: "fg-",
    EXTERNAL_GATEWAY: "gw-",
}


NAMESPACE, QEMU = MADE_GUESTS = ("namespace", "qemu")
PLUGGED = "plugged"
"""What an instance is: a namespace or a virtual machine that we make, or what others plug in."""


def device_name(prefix: str, id: str) -> str:
    """Neutron's device name: prefix + id, cut to 14 characters to keep the kernel's limit of 15."""
    return (prefix + id)[:14]


def instance_namespace(instance: str) -> str:
    """The network namespace that stands for an instance, on its host."""
    return f"vm-{instance}"


def card_name(number: int) -> str:
    """The name of a network card in its instance, counted from 0."""
    return f"eth{number}"


@frozen
class Underlay:
    """The network between the hosts. `mtu` is its own; tunnels leave `overlay_mtu` bytes for IP."""

    cidr: IpNetwork
    mtu: int
    tunnel_type: str = VXLAN

    @property
    def overlay_mtu(self) -> int:
        """The MTU of what a tunnel carries."""
        return self.mtu - TUNNEL_OVERHEADS[self.tunnel_type]

    def tunnel_device(self, address: str) -> str:
        """The tunnel port that leads to an address; Neutron's name: type, and address in hex."""
        return f"{self.tunnel_type}-" + "".join(f"{int(byte):02x}" for byte in address.split("."))


@frozen
class Host:
    """A machine. `tunnel_ports`: other host → OpenFlow port on br-tun of the tunnel to it."""

    name: str
    address: str
    dvr_mac: str
    snat: bool
    tunnel_ports: Mapping[str, int] = field(eq=dict)
    datapath_ids: Mapping[str, int] = field(eq=dict, factory=dict)
    """Bridge → its datapath id, of the bridges for which one is pinned."""
    management_address: str | None = None
    """A further address from which its switches connect to the controller."""


DhcpOptions: TypeAlias = "tuple[tuple[int, str], ...]"
"""Options of DHCP that the file sets: number and value, in dnsmasq's syntax, sorted."""


@frozen
class HostRoute:
    """A route that DHCP announces to the instances of a subnet."""

    destination: str
    nexthop: str


@frozen
class DhcpRange:
    """Addresses that DHCP may lease to undeclared machines, with both ends."""

    start: str
    end: str
    host: str | None = None
    """The only host that leases them, if DHCP is distributed."""


@frozen
class Subnet:
    """A range of addresses. DHCP announces `gateway_ip`; its default is the first address."""

    cidr: IpNetwork
    gateway_ip: str | None
    dhcp: bool
    dns: tuple[str, ...]
    host_routes: tuple[HostRoute, ...] = ()
    dhcp_options: DhcpOptions = ()
    dhcp_ranges: tuple[DhcpRange, ...] = ()


@frozen
class Network:
    """A layer 2 network under one VNI. `gateway_host` has an external network's gateway_ip.

    With `underlay_access` it may reach the underlay's tunnels and the controller.
    """

    name: str
    id: str
    vni: int
    external: bool
    subnets: tuple[Subnet, ...]
    gateway_host: str | None
    underlay_access: bool = False

    def subnet_of(self, address: str) -> Subnet | None:
        """The subnet that has an address, if any."""
        at = ip_address(address)
        return next((subnet for subnet in self.subnets if at in subnet.cidr), None)

    @property
    def has_dhcp_ranges(self) -> bool:
        """Whether it has addresses for undeclared machines."""
        return any(subnet.dhcp_ranges for subnet in self.subnets)

    @property
    def outside_ip(self) -> str | None:
        """The address on its gateway_host that stands for the world beyond; None without a host."""
        if self.gateway_host is None:
            return None
        return next((subnet.gateway_ip for subnet in self.subnets if subnet.gateway_ip), None)


class FixedIp(NamedTuple):
    """An address that a port has, and the subnet that the address is in. It is a tuple because
    thousands are compared.
    """

    ip: str
    cidr: IpNetwork


@frozen
class AddressPair:
    """Addresses that an instance may use besides its own; it may share them with others.

    `mac` is None where the instance uses its own. A `cidr` of one address is a virtual IP: of the
    ports that may have it, the one that announces it has it.
    """

    cidr: IpNetwork
    mac: str | None

    @property
    def virtual_ip(self) -> str | None:
        """The one address, if it is one."""
        cidr = self.cidr
        return str(cidr.network_address) if cidr.prefixlen == cidr.max_prefixlen else None


@frozen
class Port:
    """One end of a network, with a host, a MAC and addresses.

    `name` is its owner's: an instance, a network (DHCP, agent gateway, external gateway) or a
    router. A router's distributed ports, which are on all hosts, are not among them: see
    `RouterInterface`.
    """

    name: str
    id: str
    owner: str
    host: str
    network: str
    mac: str
    addresses: tuple[FixedIp, ...]
    """At least one. The first identifies the port."""
    ofport: int
    number: int = 0
    """Its number among its instance's network cards."""
    address_pairs: tuple[AddressPair, ...] = ()
    dhcp_options: DhcpOptions = ()
    """The DHCP options of this port alone."""
    distributed: bool = False
    """Whether each of several hosts has its own copy of this port, as of a router's: a distributed
    DHCP server's port.
    """
    guest: str = NAMESPACE
    """An instance's guest: NAMESPACE, QEMU or PLUGGED."""
    roams: bool = False
    """Whether it is where others plug it in, at first on a host that its name chooses."""

    @property
    def ip(self) -> str:
        """The first address."""
        return self.addresses[0].ip

    @property
    def cidr(self) -> IpNetwork:
        """The subnet that the first address is in."""
        return self.addresses[0].cidr

    @property
    def prefixlen(self) -> int:
        """The length of that subnet's prefix, in bits."""
        return self.cidr.prefixlen

    @property
    def virtual_macs(self) -> frozenset[str]:
        """The MACs that it may use besides its own."""
        return frozenset(pair.mac for pair in self.address_pairs if pair.mac is not None)

    def may_have(self, ip: str) -> bool:
        """Whether an address is one of its own, or of those that it may use besides."""
        return any(fixed.ip == ip for fixed in self.addresses) or any(
            ip_address(ip) in pair.cidr for pair in self.address_pairs
        )

    @property
    def card(self) -> str:
        """The card's name in its instance."""
        return card_name(self.number)

    @property
    def device(self) -> str:
        """The port's device on br-int, as Neutron names it."""
        return device_name(DEVICE_PREFIXES[self.owner], self.id)


@frozen
class RouterInterface:
    """A distributed port: the same MAC and address on every host that has the router.

    `snat_port` is the sg- port of the subnet on the router's SNAT host; None without an external
    network.
    """

    router: str
    id: str
    network: str
    mac: str
    ip: str
    cidr: IpNetwork
    ofport: int
    snat_port: Port | None

    @property
    def device(self) -> str:
        """The port's device on br-int."""
        return device_name("qr-", self.id)

    @property
    def distributed(self) -> bool:
        """Whether each of several hosts has its own copy of this port: always."""
        return True


@frozen
class FipLink:
    """The pair between qrouter- and fip-, with MACs: 169.254.x.y/31, rfp- even and fpr- odd."""

    rfp_ip: str
    fpr_ip: str
    rfp_mac: str
    fpr_mac: str


@frozen
class ExtraRoute:
    """A route to a destination outside of the subnets that a router joins. Its `nexthop` is in one
    of them; that of an `outer` route is in a subnet of the router's external network.
    """

    destination: IpNetwork
    nexthop: str
    outer: bool = False


@frozen
class Router:
    """A distributed router. With an external network it has a gateway port, on `snat_host`.

    Its `fip_link` is allocated even if it is not used yet: the first floating address changes no
    number.
    """

    name: str
    id: str
    interfaces: tuple[RouterInterface, ...]
    external_network: str | None
    snat_host: str | None
    gateway_port: Port | None
    fip_link: FipLink
    routes: tuple[ExtraRoute, ...] = ()

    @property
    def inner_routes(self) -> tuple[ExtraRoute, ...]:
        """Its routes with next hops in the subnets that it joins."""
        return tuple(route for route in self.routes if not route.outer)

    @property
    def outer_routes(self) -> tuple[ExtraRoute, ...]:
        """Its routes with next hops on its external network."""
        return tuple(route for route in self.routes if route.outer)

    @property
    def namespace(self) -> str:
        """The namespace in which it routes, on every host that has it."""
        return f"qrouter-{self.id}"

    @property
    def snat_namespace(self) -> str:
        """The namespace in which it does SNAT, on its snat_host."""
        return f"snat-{self.id}"

    @property
    def rfp_device(self) -> str:
        """The link's end in the router's namespace."""
        return device_name("rfp-", self.id)

    @property
    def fpr_device(self) -> str:
        """The link's end in the external network's fip- namespace."""
        return device_name("fpr-", self.id)


@frozen
class Ports:
    """Ports of TCP or UDP in a row, written as 80 or 8000-8009."""

    first: int
    last: int

    def __str__(self) -> str:
        return f"{self.first}" if self.count == 1 else f"{self.first}-{self.last}"

    @property
    def count(self) -> int:
        """The number of ports."""
        return self.last - self.first + 1


@frozen
class PortForwarding:
    """Ports of a floating address that stand for as many of `fixed_ip`, an instance's address."""

    protocol: str
    external_ports: Ports
    instance: str
    fixed_ip: str
    internal_ports: Ports


@frozen
class FloatingIp:
    """An external address behind `router`. Bound, it stands for `fixed_ip`, an address of
    `instance`; else its `forwardings` do so port by port, or it is only allocated.

    The NAT of a `central` one is on the router's SNAT host, that of others on the instance's.
    """

    ip: str
    network: str
    router: str | None
    instance: str | None
    fixed_ip: str | None
    central: bool
    forwardings: tuple[PortForwarding, ...]
    rule_priority: int
