"""List the addresses that no machine can have, and the purpose of each range (RFC 6890). Pure.

Link-local addresses are not among them: a machine may have one, but no subnet may.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network

LINK_LOCAL = IPv4Network("169.254.0.0/16")
BROADCAST = IPv4Address("255.255.255.255")
_RANGES = (
    (IPv4Network("0.0.0.0/8"), "an address of no machine"),
    (IPv4Network("127.0.0.0/8"), "a loopback address"),
    (IPv4Network("224.0.0.0/4"), "a multicast address"),
    (IPv4Network("240.0.0.0/4"), "a reserved address"),
)
_FIRST_BYTES = {0, 127, *range(224, 256)}
NOT_FOR_HOSTS = (*(cidr for cidr, _ in _RANGES[:2]), LINK_LOCAL, IPv4Network("224.0.0.0/3"))
"""No subnet lies in these: this network, loopback, link-local, multicast and reserved."""


def reserved_as(address: IPv4Address) -> str | None:
    """The purpose of an address that no machine can have; else None."""
    if int(address) >> 24 not in _FIRST_BYTES:
        return None
    if address == BROADCAST:
        return "the broadcast address of every network"
    return next(purpose for cidr, purpose in _RANGES if address in cidr)


def reserved_range(cidr: IPv4Network) -> IPv4Network | None:
    """The range that has a network as a whole, if no machine can have an address of it."""
    if int(cidr.network_address) >> 24 not in _FIRST_BYTES:
        return None
    return next((reserved for reserved, _ in _RANGES if cidr.subnet_of(reserved)), None)
