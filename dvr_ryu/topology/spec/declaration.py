"""Define the topology file's schema: its keys, their values, and the optional ones.

`scalars` defines single values; `allocation` chooses omitted ones (None). This module checks one
object at a time: references and clashes between objects are for `checks`. Pure values; no file is
read here.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, TypeVar

from attrs import field, fields_dict, frozen

from dvr_ryu.topology.model import NAMESPACE, PLUGGED, VXLAN, Ports
from dvr_ryu.topology.spec.expect import ExpectSpec
from dvr_ryu.topology.spec.scalars import (
    CENTRAL,
    DEFAULT_UNDERLAY_PREFIX,
    DISTRIBUTED,
    NO_GATEWAY,
    WIDEST_UNDERLAY_PREFIX,
    Address,
    AddressOrCidr,
    BridgeName,
    Cidr,
    ControllerTarget,
    DatapathId,
    Destination,
    DhcpMode,
    Gateway,
    GuestKind,
    HostRange,
    Mac,
    Mtu,
    Name,
    Ofport,
    Option,
    PeerAddress,
    PortNumbers,
    Protocol,
    RouterPair,
    RulePriority,
    Truth,
    TunnelType,
    Uuid,
    Vlan,
    Vni,
)
from dvr_ryu.topology.spec.schema import Spec, at_least_one, missing_key, wrong_key
from dvr_ryu.topology.spec.yaml_nodes import Path

T = TypeVar("T")

Named = dict[Name, T]
Options = dict[Option, Any]
Listed = tuple[T, ...]
Some = Annotated[Listed[T], at_least_one]


@frozen(kw_only=True)
class UnderlaySpec(Spec):
    """The network that carries the tunnels between the hosts' addresses."""

    cidr: HostRange | None = None
    mtu: Mtu = 1500
    tunnel_type: TunnelType = VXLAN


@frozen(kw_only=True)
class HostSpec(Spec):
    """One machine: its underlay address and its pins.

    Its switches reach the controller from `management_address`, if not from `address`.
    """

    address: Address
    management_address: PeerAddress | None = None
    dvr_mac: Mac | None = None
    snat: Truth = False
    local_vlans: Named[Vlan] = field(factory=dict)
    tunnel_ports: Named[Ofport] = field(factory=dict)
    datapath_ids: dict[BridgeName, DatapathId] = field(factory=dict)


@frozen(kw_only=True)
class RouteSpec(Spec):
    """A destination with a next hop on a subnet."""

    destination: Destination
    nexthop: Address


@frozen(kw_only=True)
class RangeSpec(Spec):
    """Addresses that DHCP may lease to undeclared machines, with both ends.

    With distributed DHCP, one host has the range: so no address is leased twice.
    """

    start: Address
    end: Address
    host: Name | None = None

    def __contains__(self, ip: IPv4Address) -> bool:
        return self.start <= ip <= self.end


@frozen(kw_only=True)
class SubnetSpec(Spec):
    """One range of addresses on a network. `dhcp` is true by default, or false if external."""

    cidr: HostRange
    gateway_ip: Gateway = None
    dhcp: Truth | None = None
    dns: Listed[Address] = ()
    host_routes: Listed[RouteSpec] = ()
    dhcp_options: Options = field(factory=dict)
    dhcp_ranges: Listed[RangeSpec] = ()

    @property
    def gateway(self) -> IPv4Address | None:
        """The gateway's address: the named one, else the subnet's first; None if it has none."""
        return None if self.gateway_ip == NO_GATEWAY else self.gateway_ip or self.cidr[1]


@frozen(kw_only=True)
class PortSpec(Spec):
    """The pins of a port; the only keys of a port that the topology implies (sg-, fg-, qg-)."""

    id: Uuid | None = None
    ip: Address | None = None
    mac: Mac | None = None

    @property
    def pinned_ips(self) -> list[tuple[Path, IPv4Address]]:
        """The addresses that the file names, each with its path below the port."""
        return [] if self.ip is None else [(("ip",), self.ip)]


@frozen(kw_only=True)
class SeveralIpsSpec(PortSpec):
    """The pins of a port that may have several addresses; the only keys of a DHCP port, which has
    one in each subnet.
    """

    ips: Listed[Address] = ()

    @classmethod
    def check(cls, written: Mapping[str, Any]) -> None:
        """One address by `ip`, or several by `ips`."""
        if written.get("ip") and written.get("ips"):
            raise wrong_key("ip", "there is 'ips' already; write this address there")

    @property
    def pinned_ips(self) -> list[tuple[Path, IPv4Address]]:
        """Its fixed addresses, the first of them first."""
        return super().pinned_ips or [(("ips", at), ip) for at, ip in enumerate(self.ips)]


@frozen(kw_only=True)
class NetworkSpec(Spec):
    """A layer 2 network, tunnelled between hosts under one VNI."""

    id: Uuid | None = None
    vni: Vni | None = None
    external: Truth = False
    subnets: Some[SubnetSpec]
    dhcp: DhcpMode = CENTRAL
    dhcp_host: Name | None = None
    dhcp_port: SeveralIpsSpec = SeveralIpsSpec()
    gateway_host: Name | None = None
    underlay_access: Truth = False
    agent_gateways: Named[PortSpec] = field(factory=dict)

    @property
    def dhcp_distributed(self) -> bool:
        """Whether DHCP is distributed."""
        return self.dhcp == DISTRIBUTED

    def has_dhcp(self, subnet: SubnetSpec) -> bool:
        """Whether DHCP serves the subnet: by its `dhcp`, else unless the network is external."""
        return not self.external if subnet.dhcp is None else subnet.dhcp

    @property
    def dhcp_subnets(self) -> list[SubnetSpec]:
        """The subnets that DHCP serves."""
        return [subnet for subnet in self.subnets if self.has_dhcp(subnet)]

    @property
    def lowest_subnet(self) -> SubnetSpec:
        """The first subnet in order of address: it supplies addresses that are not pinned."""
        return min(self.subnets, key=lambda subnet: subnet.cidr)

    def subnet_of(self, address: IPv4Address) -> SubnetSpec | None:
        """The subnet that has the address, if any."""
        return next((each for each in self.subnets if address in each.cidr), None)


@frozen(kw_only=True)
class InterfaceSpec(PortSpec):
    """A router's distributed port (qr-) on one subnet; `snat_port` is the sg- port beside it."""

    network: Name
    subnet: Cidr | None = None
    snat_port: PortSpec = PortSpec()

    def joined(self, network: NetworkSpec) -> SubnetSpec | None:
        """The subnet: the named one, else that of its address, else the lowest."""
        if self.subnet is not None:
            return next((each for each in network.subnets if each.cidr == self.subnet), None)
        return network.subnet_of(self.ip) if self.ip else network.lowest_subnet


@frozen(kw_only=True)
class LinkSpec(Spec):
    """The veth pair between a router's qrouter- and fip- namespaces: rfp- has the even address."""

    cidr: RouterPair | None = None
    rfp_mac: Mac | None = None
    fpr_mac: Mac | None = None


@frozen(kw_only=True)
class RouterSpec(Spec):
    """A distributed router."""

    id: Uuid | None = None
    interfaces: Some[InterfaceSpec]
    external_network: Name | None = None
    snat_host: Name | None = None
    gateway_port: PortSpec = PortSpec()
    fip_link: LinkSpec = LinkSpec()
    routes: Listed[RouteSpec] = ()


@frozen(kw_only=True)
class AddressPairSpec(Spec):
    """An address, or a range, that a port may use besides its own; perhaps with another MAC."""

    ip: AddressOrCidr
    mac: Mac | None = None


@frozen(kw_only=True)
class CardSpec(SeveralIpsSpec):
    """A network card of an instance."""

    network: Name
    allowed_address_pairs: Listed[AddressPairSpec] = ()
    dhcp_options: Options = field(factory=dict)


@frozen(kw_only=True)
class InstanceSpec(CardSpec):
    """A virtual machine, or a namespace with network cards that represents one.

    It is its own only card, unless it has `ports`. A `plugged` one is made by others: without
    `host`, it is where they plug it in.
    """

    host: Name = ""
    guest: GuestKind = NAMESPACE
    plugged: Truth = False
    network: Name = ""
    ports: Listed[CardSpec] = ()

    @classmethod
    def check(cls, written: Mapping[str, Any]) -> None:
        """Its own card's keys, or `ports`; one kind of guest, and a host for those that we make."""
        super().check(written)
        if not (written.get("plugged") or written.get("host")):
            raise missing_key("host")
        if written.get("plugged") and "guest" in written:
            raise wrong_key(
                "guest", "the instance is plugged: others make it; remove one of the two"
            )
        if not written.get("ports"):
            if not written.get("network"):
                raise missing_key("network")
            return
        for name in fields_dict(CardSpec):
            if name in written:
                raise wrong_key(name, "the instance has 'ports'; write this in one of them")

    @property
    def guest_kind(self) -> str:
        """What it is, as a port's `guest`."""
        return PLUGGED if self.plugged else self.guest

    @property
    def roams(self) -> bool:
        """Whether it is where others plug it in."""
        return not self.host

    @property
    def cards(self) -> list[tuple[Path, CardSpec]]:
        """Its network cards in order, each with its path below the instance."""
        if not self.ports:
            return [((), self)]
        return [(("ports", at), card) for at, card in enumerate(self.ports)]

    @property
    def first_card(self) -> CardSpec:
        """The card that identifies it."""
        return self.ports[0] if self.ports else self


@frozen(kw_only=True)
class ForwardingSpec(Spec):
    """Ports of a floating address that lead to an instance's: to the same ports by default."""

    protocol: Protocol
    external_port: PortNumbers
    instance: Name
    internal_port: PortNumbers | None = None
    fixed_ip: Address | None = None

    @property
    def internal_ports(self) -> Ports:
        """The instance's ports; of a range, the file may name only the first."""
        outer = self.external_port
        inner = self.internal_port or outer
        return Ports(inner.first, inner.first + outer.count - 1) if inner.count == 1 else inner


@frozen(kw_only=True)
class FloatingIpSpec(Spec):
    """A floating address: bound to an instance, forwarded port by port, or only allocated.

    A distributed one has its NAT on the instance's host, a central one on the router's SNAT host.
    """

    instance: Name | None = None
    fixed_ip: Address | None = None
    central: Truth = False
    port_forwardings: Listed[ForwardingSpec] = ()
    network: Name | None = None
    rule_priority: RulePriority | None = None

    @property
    def distributed(self) -> bool:
        """Whether its NAT is on the host of its instance."""
        return self.instance is not None and not self.central


def _smallest_network(addresses: list[IPv4Address]) -> IPv4Network:
    low, high = int(min(addresses)), int(max(addresses))
    prefix = min(DEFAULT_UNDERLAY_PREFIX, 32 - (low ^ high).bit_length())
    return IPv4Network((low, prefix), strict=False)


@frozen(kw_only=True)
class TopologySpec(Spec):
    """The whole file."""

    controller: ControllerTarget | None = None
    underlay: UnderlaySpec = UnderlaySpec()
    hosts: Annotated[Named[HostSpec], at_least_one]
    networks: Named[NetworkSpec] = field(factory=dict)
    routers: Named[RouterSpec] = field(factory=dict)
    instances: Named[InstanceSpec] = field(factory=dict)
    floating_ips: dict[Address, FloatingIpSpec] = field(factory=dict)
    expect: Listed[ExpectSpec] = ()
    removed_hosts: Listed[Name] = ()

    @property
    def controller_address(self) -> IPv4Address | None:
        """The address in `controller`, if the file names one."""
        return IPv4Address(self.controller.split(":")[1]) if self.controller else None

    @property
    def underlay_cidr(self) -> IPv4Network:
        """The stated network, else the smallest of /24 or wider with all hosts and the controller.

        A controller that is far from all hosts is reached through the underlay, not on it.
        """
        if self.underlay.cidr:
            return self.underlay.cidr
        addresses = [host.address for host in self.hosts.values()]
        hosts = _smallest_network(addresses)
        if self.controller_address is None:
            return hosts
        both = _smallest_network([*addresses, self.controller_address])
        return both if both.prefixlen >= WIDEST_UNDERLAY_PREFIX else hosts

    @property
    def external_networks(self) -> list[str]:
        """The names of the external networks, in the file's order."""
        return [name for name, network in self.networks.items() if network.external]

    def network_of(self, floating: FloatingIpSpec) -> str | None:
        """The floating address's network: the named one, else the only external one, else None."""
        if floating.network is not None:
            return floating.network
        external = self.external_networks
        return external[0] if len(external) == 1 else None
