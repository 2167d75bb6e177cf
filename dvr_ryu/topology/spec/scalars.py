"""Define the kinds of single values in a topology file, and the message about a wrong one.

Each is an annotation: the type in a declaration, and the function that makes it of a file's value,
or raises ValueError with the problem and the remedy. Of several functions, each takes the result of
the one before. This module does not know the keys: `declaration` does. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Interface
from typing import Annotated, Final, Literal

from dvr_ryu.topology.bridges import BRIDGES, Plug, bridge_names, bridge_of, patch_ports
from dvr_ryu.topology.expectation import PROTOCOLS, Service
from dvr_ryu.topology.model import MADE_GUESTS, PLUGGED, TUNNEL_OVERHEADS, Ports
from dvr_ryu.topology.reserved import LINK_LOCAL, NOT_FOR_HOSTS, reserved_as, reserved_range
from dvr_ryu.topology.spec.dhcp_options import number_of

LOCAL_VLANS = range(1, 4095)
"""VLAN tags of 802.1Q; 0 and 4095 are reserved."""

VNIS = range(1, 1 << 24)
"""24 bits, with GRE's wider keys, too: so the type of the tunnels can be changed at any time."""

OFPORTS = range(2, 0xFF00)
"""OpenFlow ports that OVS lets one ask for, without 1, which is a patch port."""

FIP_RULE_PRIORITIES = range(32768, 72768)
"""Neutron's range for `ip rule` priorities of floating addresses (fip_rule_priority_allocator)."""

DATAPATH_IDS = range(1, 1 << 64)
DEFAULT_UNDERLAY_PREFIX = 24
WIDEST_UNDERLAY_PREFIX = 8
"""Addresses with a shorter common prefix are on no common network."""
LONGEST_PREFIX = 30
"""A smaller subnet has no room for a gateway and one more."""
CENTRAL, DISTRIBUTED = DHCP_MODES = ("central", "distributed")
"""The modes of a network's DHCP: one host serves it, or each host for itself."""
NO_GATEWAY: Final = "none"
"""The value of gateway_ip for a subnet without one; Neutron's null means the same."""

_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_CONTROLLER = re.compile(r"(tcp|ssl):([^:]+):([0-9]{1,5})")
_ENDPOINT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}(?::eth[0-9]{1,2})?")
_SERVICE = re.compile(r"([0-9]{1,5})/([a-z]+)")
_PORTS = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int):
        raise ValueError("is not text to YAML; write it in quotes")
    raise ValueError("stands where text must; write one word")


def _number(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("is not a number; write digits without leading zeros, or 0x and hex digits")


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ValueError("is not true or false; write one of the two")


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


def _machines_address(text: object) -> IPv4Address:
    address = _ipv4(text)
    if purpose := reserved_as(address):
        raise ValueError(f"is {purpose}, which no machine can have; take another")
    return address


def _peers_address(text: object) -> IPv4Address:
    """An address from which another program connects; it may be this machine's."""
    address = _ipv4(text)
    return address if address.is_loopback else _machines_address(text)


def _gateway(value: object) -> IPv4Address | Literal["none"]:
    if value is None or value == NO_GATEWAY:
        return NO_GATEWAY
    return _machines_address(value)


def _option(word: object) -> object:
    number_of(word)
    return word


@lru_cache(maxsize=1 << 12)
def _network(text: str) -> IPv4Network:
    """The same object for equal text: the comparison of two files is then fast."""
    return IPv4Network(text)


def _cidr(text: object) -> IPv4Network:
    written = text if isinstance(text, str) and "/" in text else ""
    try:
        return _network(written)
    except ValueError:
        _refuse_ipv6(text)
    try:
        network = IPv4Network(written, strict=False)
    except ValueError:
        raise ValueError(
            "is not an IPv4 network; write its address and length: 10.10.10.0/24"
        ) from None
    raise ValueError(f"is an address within a network, not the network; write {network}")


def _machines_range(text: object) -> IPv4Network:
    cidr = _cidr(text)
    if reserved := reserved_range(cidr):
        raise ValueError(f"lies in {reserved}, whose addresses no machine can have; take another")
    return cidr


def _address_or_cidr(text: object) -> IPv4Network:
    if isinstance(text, str) and "/" in text and not text.endswith("/32"):
        return _machines_range(text)
    alone = text.removesuffix("/32") if isinstance(text, str) else text
    return IPv4Network(_machines_address(alone))


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


def name(text: str) -> str:
    """The name of anything in the file; ValueError if it is none."""
    if not _NAME.fullmatch(text):
        raise ValueError(
            "is not a name; use up to 63 letters, digits, '-', '_' and '.', a letter or digit first"
        )
    return text


def _bridge(text: str) -> str:
    if text not in BRIDGES:
        raise ValueError(f"is no bridge that has flows; there are {bridge_names()}")
    return text


def _tunnel_type(text: str) -> str:
    if text not in TUNNEL_OVERHEADS:
        *others, last = TUNNEL_OVERHEADS
        raise ValueError(f"is no type of tunnel; there are {', '.join(others)} and {last}")
    return text


def _dhcp_mode(text: object) -> object:
    if text not in DHCP_MODES:
        raise ValueError(
            f"is no way to serve a network; there are {' and '.join(DHCP_MODES)}; "
            "whether a subnet has DHCP at all is said there"
        )
    return text


def _guest_kind(text: str) -> str:
    if text == PLUGGED:
        raise ValueError("is said by another key: write plugged: true instead")
    if text not in MADE_GUESTS:
        raise ValueError(f"is no kind of guest; there are {' and '.join(MADE_GUESTS)}")
    return text


def _controller(text: str) -> str:
    parts = _CONTROLLER.fullmatch(text)
    if not parts:
        raise ValueError(
            "is not a controller; write tcp:ADDRESS:PORT, or ssl:ADDRESS:PORT for TLS, as "
            "tcp:10.0.44.1:6653"
        )
    try:
        address = IPv4Address(parts[2])
    except ValueError:
        raise ValueError(
            f"has no IPv4 address: {parts[2]}; write it as {parts[1]}:10.0.44.1:6653"
        ) from None
    if reserved_as(address) and not address.is_loopback:
        raise ValueError("names an address that no switch can reach; write the controller's own")
    if not 1 <= int(parts[3]) <= 65535:
        raise ValueError("has a port that is not from 1 to 65535; OpenFlow's own is 6653")
    return text


def _protocol(text: str) -> str:
    if text not in PROTOCOLS:
        raise ValueError(f"is not forwarded, only {' and '.join(PROTOCOLS)} are")
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


def _service(value: object) -> Service:
    parts = _SERVICE.fullmatch(value) if isinstance(value, str) else None
    if not parts or parts[2] not in PROTOCOLS:
        raise ValueError(f"is no port of {' or '.join(PROTOCOLS)}; write it as 80/tcp")
    if not 1 <= int(parts[1]) <= 65535:
        raise ValueError("is out of range; ports are from 1 to 65535")
    return Service(parts[2], int(parts[1]))


def _endpoint(text: str) -> str:
    if not _ENDPOINT.fullmatch(text):
        raise ValueError(
            "names no end of a packet's way; write an instance, NAME:eth1 for one of its NICs, "
            "a host, an address or outside"
        )
    return text


def _of_no_patch(ofport: int) -> int:
    patches = {here.ofport: here.name for here, _ in patch_ports(bridge_of(Plug.TUNNELS))}
    if ofport in patches:
        raise ValueError(f"is the port {patches[ofport]}; write another number")
    return ofport


def _within(numbers: range) -> Callable[[int], int]:
    def check(number: int) -> int:
        if number not in numbers:
            raise ValueError(f"is out of range; write a number from {numbers[0]} to {numbers[-1]}")
        return number

    return check


Truth = Annotated[bool, _truth]
Mac = Annotated[str, _mac]
Address = Annotated[IPv4Address, _machines_address]
PeerAddress = Annotated[IPv4Address, _peers_address]
Gateway = Annotated[IPv4Address | Literal["none"] | None, _gateway]
Option = Annotated[str, _option]
Cidr = Annotated[IPv4Network, _cidr]
Destination = Annotated[IPv4Network, _machines_range]
AddressOrCidr = Annotated[IPv4Network, _address_or_cidr]
HostRange = Annotated[Cidr, _range_of_hosts]
RouterPair = Annotated[Cidr, _router_pair]
Uuid = Annotated[str, _uuid]
Name = Annotated[str, _text, name]
ControllerTarget = Annotated[str, _text, _controller]
Mtu = Annotated[int, _number, _within(range(626, 9217))]
Vlan = Annotated[int, _number, _within(LOCAL_VLANS)]
Vni = Annotated[int, _number, _within(VNIS)]
Ofport = Annotated[int, _number, _within(OFPORTS), _of_no_patch]
RulePriority = Annotated[int, _number, _within(FIP_RULE_PRIORITIES)]
DatapathId = Annotated[int, _number, _within(DATAPATH_IDS)]
Protocol = Annotated[str, _text, _protocol]
PortNumbers = Annotated[Ports, _ports]
ServicePort = Annotated[Service, _service]
EndpointName = Annotated[str, _text, _endpoint]
DhcpMode = Annotated[str, _dhcp_mode]
GuestKind = Annotated[str, _text, _guest_kind]
TunnelType = Annotated[str, _text, _tunnel_type]
BridgeName = Annotated[str, _text, _bridge]
