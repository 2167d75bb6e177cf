"""Define the DHCP options that a file may set: numbers, values, and dnsmasq's syntax. Pure.

A value is unambiguous for dnsmasq: numbers with their size, text in quotes. So no value of a file
can prevent its start, or reach a client as another value.
"""

from __future__ import annotations

import re
from enum import Enum
from ipaddress import IPv4Address

from dvr_ryu.topology.reserved import reserved_as
from dvr_ryu.topology.wording import suggestion

ROUTER, DNS_SERVER, CLASSLESS_ROUTES = 3, 6, 121
MTU = 26
MICROSOFT_ROUTES = 249
"""The option that Windows once requested instead of 121."""


class Kind(Enum):
    """The kind of an option's values. For numbers it is dnsmasq's letter for their size."""

    ADDRESSES = "addresses"
    NAMES = "domain names"
    TEXT = "text"
    BYTE = "b"
    SHORT = "s"
    LONG = "i"


SIZES = {Kind.BYTE: 1, Kind.SHORT: 2, Kind.LONG: 4}

OPTIONS = {
    "time-offset": (2, Kind.LONG),
    "router": (ROUTER, Kind.ADDRESSES),
    "dns-server": (DNS_SERVER, Kind.ADDRESSES),
    "log-server": (7, Kind.ADDRESSES),
    "lpr-server": (9, Kind.ADDRESSES),
    "boot-file-size": (13, Kind.SHORT),
    "domain-name": (15, Kind.TEXT),
    "swap-server": (16, Kind.ADDRESSES),
    "root-path": (17, Kind.TEXT),
    "extension-path": (18, Kind.TEXT),
    "ip-forward-enable": (19, Kind.BYTE),
    "default-ttl": (23, Kind.BYTE),
    "mtu": (MTU, Kind.SHORT),
    "router-discovery": (31, Kind.BYTE),
    "router-solicitation": (32, Kind.ADDRESSES),
    "arp-timeout": (35, Kind.LONG),
    "tcp-ttl": (37, Kind.BYTE),
    "tcp-keepalive": (38, Kind.LONG),
    "nis-domain": (40, Kind.TEXT),
    "nis-server": (41, Kind.ADDRESSES),
    "ntp-server": (42, Kind.ADDRESSES),
    "netbios-ns": (44, Kind.ADDRESSES),
    "netbios-dd": (45, Kind.ADDRESSES),
    "netbios-nodetype": (46, Kind.BYTE),
    "netbios-scope": (47, Kind.TEXT),
    "x-windows-fs": (48, Kind.ADDRESSES),
    "x-windows-dm": (49, Kind.ADDRESSES),
    "T1": (58, Kind.LONG),
    "T2": (59, Kind.LONG),
    "vendor-class": (60, Kind.TEXT),
    "nis+-domain": (64, Kind.TEXT),
    "nis+-server": (65, Kind.ADDRESSES),
    "tftp-server": (66, Kind.TEXT),
    "bootfile-name": (67, Kind.TEXT),
    "smtp-server": (69, Kind.ADDRESSES),
    "pop3-server": (70, Kind.ADDRESSES),
    "nntp-server": (71, Kind.ADDRESSES),
    "irc-server": (74, Kind.ADDRESSES),
    "user-class": (77, Kind.TEXT),
    "domain-search": (119, Kind.NAMES),
    "tftp-server-address": (150, Kind.ADDRESSES),
}
"""Name, as dnsmasq has it → number and kind. Others are set by number."""

_KINDS = dict(OPTIONS.values())
_NAMES = {number: name for name, (number, _) in OPTIONS.items()}
_ROUTES = (33, CLASSLESS_ROUTES, MICROSOFT_ROUTES)
_RESERVED = (1, 28, *range(50, 58), 61, 82)
"""The options that the protocol itself uses, or that follow from the subnet."""

_LENGTH = 255
_NUMBER = re.compile(r"[0-9]{1,3}")
_BYTES = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2})+", re.IGNORECASE)
_LABEL = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*", re.IGNORECASE)


def number_of(name: object) -> int:
    """The number of an option by its name, or its number as text. Raise ValueError."""
    if isinstance(name, str) and name in OPTIONS:
        return OPTIONS[name][0]
    if not isinstance(name, str) or not _NUMBER.fullmatch(name):
        raise ValueError(f"is no DHCP option; {suggestion(str(name), OPTIONS)} Or write its number")
    number = int(name)
    if not 1 <= number <= 254:
        raise ValueError("is no number of a DHCP option; they are from 1 to 254")
    if number in _ROUTES:
        raise ValueError("holds routes; write host_routes on the subnet")
    if number in _RESERVED:
        raise ValueError("is the DHCP server's own business; leave it out")
    return number


def option_name(number: int) -> str:
    """The name of an option in dnsmasq's files."""
    known = {CLASSLESS_ROUTES: "classless-static-route", **_NAMES}
    return f"option:{known[number]}" if number in known else str(number)


def value_of(number: int, value: object) -> str:
    """An option's value in dnsmasq's syntax. Raise ValueError."""
    kind = _KINDS.get(number) or _kind_of(value)
    match kind:
        case Kind.ADDRESSES:
            return ",".join(_address(each, number) for each in _listed(value))
        case Kind.NAMES:
            return ",".join(_domain(each) for each in _listed(value))
        case Kind.TEXT:
            return _text(value)
        case None:
            return str(value).lower()
        case _:
            return _number(value, kind)


def _kind_of(value: object) -> Kind | None:
    """The kind of an option that has no name here, by its value; None for bytes in hex."""
    if isinstance(value, int):
        sizes = (kind for kind, size in SIZES.items() if 0 <= value < 1 << 8 * size)
        return next(sizes, Kind.LONG)
    if isinstance(value, str) and not _is_address(value):
        return None if _BYTES.fullmatch(value) and len(value) < 3 * _LENGTH else Kind.TEXT
    return Kind.ADDRESSES


def _listed(value: object) -> list[object]:
    values = value if isinstance(value, list) else [value]
    if not 1 <= len(values) <= _LENGTH // 4:
        raise ValueError(f"holds {len(values)} values; write from 1 to {_LENGTH // 4}")
    return values


def _is_address(value: object) -> bool:
    try:
        IPv4Address(value if isinstance(value, str) else "")
    except ValueError:
        return False
    return True


def _address(value: object, number: int) -> str:
    """An address. A named option has a machine's; for 0.0.0.0, dnsmasq would send its own."""
    if not _is_address(value):
        raise ValueError("takes addresses; write 9.9.9.9, or [9.9.9.9, 9.9.9.10]")
    address = IPv4Address(str(value))
    purpose = reserved_as(address) if number in _KINDS or not int(address) else None
    if purpose:
        raise ValueError(f"takes addresses of machines; {address} is {purpose}; take another")
    return str(value)


def _domain(value: object) -> str:
    if not isinstance(value, str) or not _DOMAIN.fullmatch(value) or len(value) > _LENGTH - 2:
        raise ValueError("takes domain names; write example.org, or [example.org, example.net]")
    return value


def _text(value: object) -> str:
    """Text in quotes, in which nothing else has a meaning."""
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError("takes text of one line; numbers and true or false need quotes")
    if len(value.encode()) > _LENGTH - 1:
        raise ValueError(f"takes text of up to {_LENGTH - 1} bytes; shorten it")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _number(value: object, kind: Kind) -> str:
    limit = 1 << 8 * SIZES[kind]
    if not isinstance(value, int) or not 0 <= value < limit:
        raise ValueError(f"takes a number from 0 to {limit - 1}")
    return f"{int(value)}{kind.value}"
