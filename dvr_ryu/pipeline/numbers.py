"""How numbers are written in flows and topologies, and read back: MACs, IPv4 addresses, ports, hex,
decimal.

Each form is a pair of functions between text and int. Reading raises ValueError with a message for
people.
"""

from __future__ import annotations

import re
from collections.abc import Callable

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

_LONGEST = 99
"""Characters of a number: more than any field has. Python refuses to read thousands of digits."""

_PORT_WORDS = {number: name for name, number in RESERVED_PORTS.items()}


@frozen
class Form:
    """One way to write a number: `example` completes an error message."""

    what: str
    example: str
    read: Callable[[str], int]
    write: Callable[[int], str]


def read_int(text: str) -> int:
    """A decimal or 0x… number."""
    if not re.fullmatch(r"0[xX][0-9a-fA-F]+|[0-9]+", text):
        raise ValueError(f"'{text}' is not a number")
    if len(text) > _LONGEST:
        raise ValueError("no number in a flow has that many digits")
    return int(text, 16) if text[:2] in ("0x", "0X") else int(text)


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


def read_port(text: str) -> int:
    """A port number, or a reserved port's name. The name of a bridge's own port is not read
    here.
    """
    word = RESERVED_PORTS.get(text.upper())
    return read_int(text) if word is None else word


def write_port(number: int) -> str:
    """A port number, or the reserved port's name."""
    return _PORT_WORDS.get(number, str(number))


DECIMAL = Form("number", "6", read_int, str)
HEX = Form("number", "0x1a", read_int, lambda number: f"{number:#x}")
MAC = Form("MAC address", "fa:16:3e:00:00:01", read_mac, write_mac)
IPV4 = Form("IPv4 address", "192.168.10.1", read_ipv4, write_ipv4)
PORT = Form("port", "1, patch-int or LOCAL", read_port, write_port)
