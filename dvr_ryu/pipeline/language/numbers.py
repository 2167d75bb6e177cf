"""The notations of numbers in flows and topologies: MACs, IP addresses, ports, hex, decimal.

A notation is a pair of functions between text and int. Reading raises ValueError with a message for
people.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address

from attrs import frozen

RESERVED_PORTS = {
    "IN_PORT": 0xFFFFFFF8,
    "TABLE": 0xFFFFFFF9,
    "NORMAL": 0xFFFFFFFA,
    "FLOOD": 0xFFFFFFFB,
    "ALL": 0xFFFFFFFC,
    "CONTROLLER": 0xFFFFFFFD,
    "LOCAL": 0xFFFFFFFE,
}
"""OpenFlow's reserved port numbers (OFPP_*), by the names that ovs-ofctl gives them."""

_SHORT_RESERVED, _LONG_RESERVED = 0xFF00, 0xFFFFFF00
"""The first reserved port, in 16 and in 32 bits."""

_LONGEST = 300
"""Most characters of a number: more than any field needs, fewer than Python refuses to read."""

PORT_NUMBERS = {
    **RESERVED_PORTS,
    "ANY": 0xFFFFFFFF,
    "NONE": 0xFFFFFFFF,
    "UNSET": 0xFFFFFFF7,
}
"""All names of ports. A flow can match the last three, but no packet can be sent to them."""

_NAME_OF_PORT = {number: name for name, number in PORT_NUMBERS.items() if name != "NONE"}


@frozen
class Notation:
    """One way to write a number. `noun` and `example` stand in messages."""

    noun: str
    example: str
    read: Callable[[str], int]
    write: Callable[[int], str]


def read_int(text: str) -> int:
    """A decimal number, 0x…, or an octal one with a leading 0, as ovs-ofctl reads it."""
    found = re.fullmatch(r"0[xX]([0-9a-fA-F]+)|0([0-7]+)|(0|[1-9][0-9]*)", text)
    if not found:
        raise ValueError(f"'{text}' is not a number")
    if len(text) > _LONGEST:
        raise ValueError("no number in a flow has that many digits")
    hexadecimal, octal, decimal = found.groups()
    return int(hexadecimal or octal or decimal, 16 if hexadecimal else 8 if octal else 10)


def read_mac(text: str) -> int:
    """fa:16:3e:00:00:01 as 48 bits."""
    if not re.fullmatch(r"([0-9a-fA-F]{1,2}:){5}[0-9a-fA-F]{1,2}", text):
        raise ValueError(f"'{text}' is not a MAC address")
    return int("".join(part.zfill(2) for part in text.split(":")), 16)


def write_mac(number: int) -> str:
    """48 bits as fa:16:3e:00:00:01."""
    digits = f"{number:012x}"
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def read_ipv4(text: str) -> int:
    """192.168.10.1 as 32 bits."""
    found = re.fullmatch(r"([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})\.([0-9]{1,3})", text)
    if not found or any(int(part) > 255 for part in found.groups()):
        raise ValueError(f"'{text}' is not an IPv4 address")
    a, b, c, d = map(int, found.groups())
    return a << 24 | b << 16 | c << 8 | d


def write_ipv4(number: int) -> str:
    """32 bits as 192.168.10.1."""
    return f"{number >> 24}.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def read_ipv6(text: str) -> int:
    """2001:db8::1 as 128 bits."""
    try:
        return int(IPv6Address(text))
    except AddressValueError:
        raise ValueError(f"'{text}' is not an IPv6 address") from None


def write_ipv6(number: int) -> str:
    """128 bits as 2001:db8::1."""
    return str(IPv6Address(number))


def long_port(number: int) -> int:
    """A port's number of 16 bits in OpenFlow's 32 bits: reserved ports have other numbers there."""
    short = number & 0xFFFF
    return short + _LONG_RESERVED - _SHORT_RESERVED if short >= _SHORT_RESERVED else short


def read_port(text: str) -> int:
    """A port number, of 16 bits as OpenFlow 1.0 and ovs-ofctl use it, or of 32; or a reserved
    port's name. Names of a bridge's ports are operands of their own.
    """
    reserved = PORT_NUMBERS.get(text.upper())
    if reserved is not None:
        return reserved
    number = read_int(text)
    if number < 1 << 16:
        return long_port(number)
    if number < _LONG_RESERVED:
        raise ValueError(f"'{text}' is no port: ports have the numbers 0 to 65279")
    return number


def write_port(number: int) -> str:
    """A port number, or the reserved port's name."""
    if number < _LONG_RESERVED:
        return str(number)
    return _NAME_OF_PORT.get(number, str(number - _LONG_RESERVED + _SHORT_RESERVED))


def read_packet_type(text: str) -> int:
    """(1,0x800), a name space and a type in it, as 32 bits."""
    found = re.fullmatch(r"\((\w+),\s*(\w+)\)", text)
    space, kind = map(read_int, found.groups()) if found else (1 << 16, 0)
    if space >> 16 or kind >> 16:
        raise ValueError(f"'{text}' is not a packet type")
    return space << 16 | kind


def write_packet_type(number: int) -> str:
    """32 bits as (1,0x800)."""
    return f"({number >> 16},{number & 0xFFFF:#x})"


DECIMAL = Notation("number", "6", read_int, str)
HEX = Notation("number", "0x1a", read_int, lambda number: f"{number:#x}")
MAC = Notation("MAC address", "fa:16:3e:00:00:01", read_mac, write_mac)
IPV4 = Notation("IPv4 address", "192.168.10.1", read_ipv4, write_ipv4)
IPV6 = Notation("IPv6 address", "2001:db8::1", read_ipv6, write_ipv6)
PORT = Notation("port", "1, patch-int or LOCAL", read_port, write_port)
PACKET_TYPE = Notation("packet type", "(1,0x800)", read_packet_type, write_packet_type)
