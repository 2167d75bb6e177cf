"""The topology file's schema: which keys there are, what each holds, which may be left out.

What is left out (None) is chosen by `allocation`. Nothing here looks beyond one object: references
and clashes between objects are for `checks`. Pure values; no file is read here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Interface
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    InstanceOf,
    model_validator,
)

from dvr_ryu.topology.model import BRIDGES, PROTOCOLS, Ports

LOCAL_VLANS = range(1, 4095)
"""VLAN tags of 802.1Q; 0 and 4095 are reserved."""

VNIS = range(1, 1 << 24)
OFPORTS = range(2, 0xFF00)
"""OpenFlow ports that OVS lets one ask for; port 1 of each bridge is its patch port."""

FIP_RULE_PRIORITIES = range(32768, 72768)
"""Neutron's range for `ip rule` priorities of floating addresses (fip_rule_priority_allocator)."""

LINK_LOCAL = IPv4Network("169.254.0.0/16")
NOT_FOR_HOSTS = tuple(
    IPv4Network(cidr) for cidr in ("0.0.0.0/8", "127.0.0.0/8", LINK_LOCAL, "224.0.0.0/3")
)
"""No subnet lies in these: this network, loopback, link-local, multicast, reserved (RFC 6890)."""

DATAPATH_IDS = range(1, 1 << 64)
DEFAULT_UNDERLAY_PREFIX = 24
WIDEST_UNDERLAY_PREFIX = 8
"""Addresses that share less lie on no one network."""
LONGEST_PREFIX = 30
"""A smaller subnet has no room for a gateway and one more."""

_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_CONTROLLER = re.compile(r"tcp:([^:]+):([0-9]{1,5})")
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


def _mac(text: object) -> str:
    """Six pairs of hex digits, in lower case; unicast, because a port answers to it."""
    if not (isinstance(text, str) and _MAC.fullmatch(text)):
        raise ValueError("is not a MAC address; write six pairs of hex digits: fa:16:3e:00:00:01")
    if int(text[:2], 16) & 1:
        raise ValueError("is a multicast MAC address; the first byte of a port's MAC is even")
    if not int(text.replace(":", ""), 16):
        raise ValueError("is the null MAC address, which no port can have; change it")
    return text.lower()


def _refuse_ipv6(text: object) -> None:
    try:
        IPv6Interface(text if isinstance(text, str) else "")
    except ValueError:
        return
    raise ValueError("is IPv6, which is not supported yet; write an IPv4 address or network")


def _ipv4(text: object) -> IPv4Address:
    try:
        return IPv4Address(text if isinstance(text, str) else "")
    except ValueError:
        _refuse_ipv6(text)
        raise ValueError("is not an IPv4 address; write it as 192.168.10.4") from None


def _cidr(text: object) -> IPv4Network:
    written = text if isinstance(text, str) and "/" in text else ""
    try:
        return IPv4Network(written)
    except ValueError:
        _refuse_ipv6(text)
    try:
        meant = IPv4Network(written, strict=False)
    except ValueError:
        raise ValueError(
            "is not an IPv4 network; write its address and length: 10.10.10.0/24"
        ) from None
    raise ValueError(f"is an address within a network, not the network; write {meant}")


def _range_of_hosts(cidr: IPv4Network) -> IPv4Network:
    if cidr.prefixlen > LONGEST_PREFIX:
        raise ValueError(f"is too small; write /{LONGEST_PREFIX} or a shorter prefix")
    for reserved in NOT_FOR_HOSTS:
        if cidr.overlaps(reserved):
            raise ValueError(f"lies in {reserved}, whose addresses no port can have; take another")
    return cidr


def _router_pair(pair: IPv4Network) -> IPv4Network:
    if pair.prefixlen != 31 or not pair.subnet_of(LINK_LOCAL):
        raise ValueError("is not a /31 within 169.254.0.0/16; write it as 169.254.31.28/31")
    return pair


def _uuid(text: object) -> str:
    if not (isinstance(text, str) and _UUID.fullmatch(text)):
        raise ValueError("is not a UUID; write it as 28e4ec01-f0a1-4c0e-9c2b-4f8a5d7e6b10")
    return text.lower()


def _name(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError(
            "is not a name; use up to 63 letters, digits, '-', '_' and '.', a letter or digit first"
        )
    return text


def _bridge(text: str) -> str:
    if text not in BRIDGES:
        raise ValueError(f"is no bridge that has flows; there are {' and '.join(BRIDGES)}")
    return text


def _controller(text: str) -> str:
    parts = _CONTROLLER.fullmatch(text)
    if not parts:
        raise ValueError("is not a controller; write tcp:ADDRESS:PORT, as tcp:10.0.44.1:6653")
    try:
        address = IPv4Address(parts[1])
    except ValueError:
        raise ValueError(
            f"has no IPv4 address: {parts[1]}; write it as tcp:10.0.44.1:6653"
        ) from None
    if address.is_unspecified or address.is_multicast or address.is_reserved:
        raise ValueError("names an address that no switch can reach; write the controller's own")
    if not 1 <= int(parts[2]) <= 65535:
        raise ValueError("has a port that is not from 1 to 65535; OpenFlow's own is 6653")
    return text


def _protocol(text: str) -> str:
    if text not in PROTOCOLS:
        raise ValueError(f"has no ports to forward; write {' or '.join(PROTOCOLS)}")
    return text


def _ports(value: object) -> Ports:
    written = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    parts = _PORTS.fullmatch(written)
    if not parts:
        raise ValueError("is not a port, nor a range of ports; write 80 or 8000-8009")
    ports = Ports(int(parts[1]), int(parts[2] or parts[1]))
    if ports.last < ports.first:
        raise ValueError(f"runs backwards; write {ports.last}-{ports.first}")
    if ports.first < 1 or ports.last > 65535:
        raise ValueError("is out of range; ports are from 1 to 65535")
    return ports


def _within(numbers: range) -> Callable[[int], int]:
    def check(number: int) -> int:
        if number not in numbers:
            raise ValueError(f"is out of range; write a number from {numbers[0]} to {numbers[-1]}")
        return number

    return check


def _blank_is_empty(value: Any) -> Any:
    """A key with nothing behind it stands for a mapping with nothing in it."""
    return {} if value is None else value


T = TypeVar("T")

Mac = Annotated[str, BeforeValidator(_mac)]
Address = Annotated[IPv4Address, BeforeValidator(_ipv4)]
Cidr = Annotated[IPv4Network, BeforeValidator(_cidr)]
HostRange = Annotated[Cidr, AfterValidator(_range_of_hosts)]
RouterPair = Annotated[Cidr, AfterValidator(_router_pair)]
Uuid = Annotated[str, BeforeValidator(_uuid)]
Name = Annotated[str, AfterValidator(_name)]
ControllerWord = Annotated[str, AfterValidator(_controller)]
Mtu = Annotated[int, AfterValidator(_within(range(626, 9217)))]
Vlan = Annotated[int, AfterValidator(_within(LOCAL_VLANS))]
Vni = Annotated[int, AfterValidator(_within(VNIS))]
Ofport = Annotated[int, AfterValidator(_within(OFPORTS))]
RulePriority = Annotated[int, AfterValidator(_within(FIP_RULE_PRIORITIES))]
DatapathId = Annotated[int, AfterValidator(_within(DATAPATH_IDS))]
Protocol = Annotated[str, AfterValidator(_protocol)]
PortNumbers = Annotated[InstanceOf[Ports], BeforeValidator(_ports)]
BridgeWord = Annotated[str, AfterValidator(_bridge)]
Named = Annotated[dict[Name, T], BeforeValidator(_blank_is_empty)]


class _Words(BaseModel):
    """A mapping of the file: unknown keys are errors, scalars are not converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    blank_is_empty = model_validator(mode="before")(_blank_is_empty)


class UnderlayWords(_Words):
    """The network that carries the tunnels between the hosts' addresses."""

    cidr: HostRange | None = None
    mtu: Mtu = 1500


class HostWords(_Words):
    """One machine: its underlay address and what it is pinned to."""

    address: Address
    dvr_mac: Mac | None = None
    snat: bool = False
    local_vlans: Named[Vlan] = {}
    tunnel_ports: Named[Ofport] = {}
    datapath_ids: Annotated[dict[BridgeWord, DatapathId], BeforeValidator(_blank_is_empty)] = {}


class SubnetWords(_Words):
    """One range of addresses on a network. `dhcp` is true unless said, on external ones false."""

    cidr: HostRange
    gateway_ip: Address | None = None
    dhcp: bool | None = None
    dns: list[Address] = []

    @property
    def gateway(self) -> IPv4Address:
        """The gateway's address: the named one, else the subnet's first."""
        return self.gateway_ip or self.cidr[1]


class PortWords(_Words):
    """The pins of a port that the topology implies (an sg-, fg-, qg- or DHCP port)."""

    id: Uuid | None = None
    ip: Address | None = None
    mac: Mac | None = None


class NetworkWords(_Words):
    """A layer 2 network, tunnelled between hosts under one VNI."""

    id: Uuid | None = None
    vni: Vni | None = None
    external: bool = False
    subnets: Annotated[list[SubnetWords], Field(min_length=1)]
    dhcp_host: Name | None = None
    dhcp_port: PortWords = PortWords()
    gateway_host: Name | None = None
    agent_gateways: Named[PortWords] = {}

    def has_dhcp(self, subnet: SubnetWords) -> bool:
        """Whether DHCP serves the subnet: as it says, else unless the network is external."""
        return not self.external if subnet.dhcp is None else subnet.dhcp

    @property
    def dhcp_subnets(self) -> list[SubnetWords]:
        """The subnets that DHCP serves."""
        return [subnet for subnet in self.subnets if self.has_dhcp(subnet)]

    @property
    def lowest_subnet(self) -> SubnetWords:
        """The first subnet in order of address: from there comes what is not pinned."""
        return min(self.subnets, key=lambda subnet: subnet.cidr)

    def subnet_of(self, address: IPv4Address) -> SubnetWords | None:
        """The subnet that has the address, if any."""
        return next((each for each in self.subnets if address in each.cidr), None)


class InterfaceWords(_Words):
    """A router's distributed port (qr-) on a network; `snat_port` is the sg- port beside it."""

    network: Name
    id: Uuid | None = None
    ip: Address | None = None
    mac: Mac | None = None
    snat_port: PortWords = PortWords()


class LinkWords(_Words):
    """The veth pair between a router's qrouter- and fip- namespaces: rfp- has the even address."""

    cidr: RouterPair | None = None
    rfp_mac: Mac | None = None
    fpr_mac: Mac | None = None


class RouterWords(_Words):
    """A distributed router."""

    id: Uuid | None = None
    interfaces: Annotated[list[InterfaceWords], Field(min_length=1)]
    external_network: Name | None = None
    snat_host: Name | None = None
    gateway_port: PortWords = PortWords()
    fip_link: LinkWords = LinkWords()


class InstanceWords(_Words):
    """A virtual machine, or what stands for one: a namespace with a network card."""

    host: Name
    network: Name
    id: Uuid | None = None
    ip: Address | None = None
    mac: Mac | None = None


class ForwardingWords(_Words):
    """Ports of a floating address that lead to an instance's: to the same ones, if unsaid."""

    protocol: Protocol
    external_port: PortNumbers
    instance: Name
    internal_port: PortNumbers | None = None
    fixed_ip: Address | None = None

    @property
    def internal_ports(self) -> Ports:
        """The instance's ports; of a range, it is enough to say the first."""
        outer = self.external_port
        said = self.internal_port or outer
        return Ports(said.first, said.first + outer.count - 1) if said.count == 1 else said


class FloatingIpWords(_Words):
    """A floating address: bound to an instance, forwarded port by port, or only allocated.

    A distributed one has its NAT on the instance's host, a central one on the router's SNAT host.
    """

    instance: Name | None = None
    fixed_ip: Address | None = None
    central: bool = False
    port_forwardings: list[ForwardingWords] = []
    network: Name | None = None
    rule_priority: RulePriority | None = None

    @property
    def distributed(self) -> bool:
        """Whether its NAT is on the host of its instance."""
        return self.instance is not None and not self.central

    @property
    def reached_instances(self) -> list[str]:
        """The instances that it leads to."""
        forwarded = [each.instance for each in self.port_forwardings]
        return [self.instance, *forwarded] if self.instance else forwarded


def _smallest_network(addresses: list[IPv4Address]) -> IPv4Network:
    low, high = int(min(addresses)), int(max(addresses))
    prefix = min(DEFAULT_UNDERLAY_PREFIX, 32 - (low ^ high).bit_length())
    return IPv4Network((low, prefix), strict=False)


class TopologyWords(_Words):
    """The whole file."""

    controller: ControllerWord | None = None
    underlay: UnderlayWords = UnderlayWords()
    hosts: Annotated[Named[HostWords], Field(min_length=1)]
    networks: Named[NetworkWords] = {}
    routers: Named[RouterWords] = {}
    instances: Named[InstanceWords] = {}
    floating_ips: Annotated[dict[Address, FloatingIpWords], BeforeValidator(_blank_is_empty)] = {}

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

    def network_of(self, floating: FloatingIpWords) -> str | None:
        """The floating address's network: the named one, else the only external one, else None."""
        if floating.network is not None:
            return floating.network
        external = self.external_networks
        return external[0] if len(external) == 1 else None

    def fixed_ip_of(self, instance: str, named: IPv4Address | None) -> IPv4Address | None:
        """The named address of an instance, else its first; None if that is not pinned."""
        return named or self.instances[instance].ip

    def routers_to(self, external: str, instances: Iterable[str]) -> list[str]:
        """The routers that lead from every one of the instances' networks to the external one."""
        networks = {self.instances[name].network for name in instances}
        return [
            name
            for name, router in self.routers.items()
            if router.external_network == external
            and networks <= {each.network for each in router.interfaces}
        ]
