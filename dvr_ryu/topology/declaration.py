"""The topology file's schema: which keys there are, what each holds, which may be left out.

What is left out (None) is chosen by `allocation`. Nothing here looks beyond one object: references and
clashes between objects are `validation`'s. Pure values; no file is read here.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

MAX_LOCAL_VLAN = 4094
MAX_OFPORT = 0xFEFF
FIP_RULE_PRIORITIES = range(32768, 72768)
"""Neutron's range for `ip rule` priorities of floating addresses (fip_rule_priority_allocator)."""


def _mac(text: object) -> str:
    """Six pairs of hex digits, in lower case; unicast, because a port answers to it."""
    parts = text.split(":") if isinstance(text, str) else []
    if len(parts) != 6 or not all(
        len(part) == 2 and set(part.lower()) <= set("0123456789abcdef") for part in parts
    ):
        raise ValueError("is not a MAC address; write six pairs of hex digits: fa:16:3e:00:00:01")
    if int(parts[0], 16) & 1:
        raise ValueError("is a multicast MAC address; the first byte of a port's MAC is even")
    if set(parts) == {"00"}:
        raise ValueError("is the null MAC address; no port can have it")
    return ":".join(parts).lower()


def _ipv4(text: object) -> object:
    if not isinstance(text, str):
        raise ValueError("is not an IPv4 address; write it as 192.168.10.4")
    try:
        return IPv4Address(text)
    except ValueError:
        raise ValueError("is not an IPv4 address; write it as 192.168.10.4") from None


def _cidr(text: object) -> object:
    try:
        return IPv4Network(text if isinstance(text, str) and "/" in text else "")
    except ValueError as error:
        hint = "has host bits set" if "host bits" in str(error) else "is not an IPv4 network"
        raise ValueError(f"{hint}; write the network address and its length: 10.10.10.0/24") from None


def _router_pair(pair: IPv4Network) -> IPv4Network:
    if pair.prefixlen != 31 or not pair.is_link_local:
        raise ValueError("is not a /31 within 169.254.0.0/16; write it as 169.254.31.28/31")
    return pair


def _name(text: str) -> str:
    allowed = text and set(text.lower()) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
    if not allowed or text[0] in "-.":
        raise ValueError("is not a name; use letters, digits, '-', '_' and '.', a letter or digit first")
    return text


Mac = Annotated[str, BeforeValidator(_mac)]
Address = Annotated[IPv4Address, BeforeValidator(_ipv4)]
Cidr = Annotated[IPv4Network, BeforeValidator(_cidr)]
Name = Annotated[str, AfterValidator(_name)]
Uuid = Annotated[UUID, Field(strict=False)]
Vlan = Annotated[int, Field(ge=1, le=MAX_LOCAL_VLAN)]
Vni = Annotated[int, Field(ge=1, lt=1 << 24)]
Ofport = Annotated[int, Field(ge=2, le=MAX_OFPORT)]
RulePriority = Annotated[
    int, Field(ge=FIP_RULE_PRIORITIES.start, lt=FIP_RULE_PRIORITIES.stop)
]


class _Words(BaseModel):
    """A mapping of the file: unknown keys are errors, scalars are not converted."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class UnderlayWords(_Words):
    """The network that carries the tunnels between the hosts' addresses."""

    cidr: Cidr | None = None
    mtu: Annotated[int, Field(ge=626, le=9216)] = 1500


class HostWords(_Words):
    """One machine: its underlay address and what it is pinned to."""

    address: Address
    dvr_mac: Mac | None = None
    snat: bool = False
    local_vlans: dict[Name, Vlan] = {}
    tunnel_ports: dict[Name, Ofport] = {}


class SubnetWords(_Words):
    """One range of addresses on a network."""

    cidr: Cidr
    gateway_ip: Address | None = None
    dhcp: bool = True
    dns: list[Address] = []


class PortWords(_Words):
    """The pins of a port that the topology implies (a qr-, sg-, fg-, qg- or DHCP port)."""

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
    agent_gateways: dict[Name, PortWords] = {}


class InterfaceWords(_Words):
    """A router's distributed port (qr-) on a network; `snat_port` is the sg- port beside it."""

    network: Name
    id: Uuid | None = None
    ip: Address | None = None
    mac: Mac | None = None
    snat_port: PortWords = PortWords()


class LinkWords(_Words):
    """The veth pair between a router's qrouter- and fip- namespaces: rfp- has the even address."""

    cidr: Annotated[Cidr, AfterValidator(_router_pair)] | None = None
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


class FloatingIpWords(_Words):
    """A floating address: bound to an instance, or only allocated."""

    instance: Name | None = None
    network: Name | None = None
    rule_priority: RulePriority | None = None


class TopologyWords(_Words):
    """The whole file."""

    controller: str | None = None
    underlay: UnderlayWords = UnderlayWords()
    hosts: Annotated[dict[Name, HostWords], Field(min_length=1)]
    networks: dict[Name, NetworkWords] = {}
    routers: dict[Name, RouterWords] = {}
    instances: dict[Name, InstanceWords] = {}
    floating_ips: dict[Address, FloatingIpWords] = {}
