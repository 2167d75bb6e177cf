"""Describe how IPv4 and IPv6 differ in addresses, programs and messages. Pure.

No IPv6 is desired yet. A family is a value of resources, so IPv6 can be added.
"""

from __future__ import annotations

from enum import IntEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

IpAddress: TypeAlias = IPv4Address | IPv6Address
IpNetwork: TypeAlias = IPv4Network | IPv6Network


class Family(IntEnum):
    """A version of IP."""

    IPV4 = 4
    IPV6 = 6

    @classmethod
    def of(cls, *addresses: str | None) -> Family:
        """The family of addresses, prefixes or "default", as text: by default IPv4."""
        return cls.IPV6 if any(each and ":" in each for each in addresses) else cls.IPV4

    @property
    def number(self) -> int:
        """Linux's AF_INET or AF_INET6."""
        return {Family.IPV4: 2, Family.IPV6: 10}[self]

    @property
    def bits(self) -> int:
        """The length of an address."""
        return {Family.IPV4: 32, Family.IPV6: 128}[self]

    @property
    def ip_options(self) -> str:
        """The options that select the family for iproute2, whose default is IPv4."""
        return {Family.IPV4: "", Family.IPV6: " -6"}[self]

    @property
    def iptables(self) -> str:
        """The program; with -save and -restore, its two others."""
        return {Family.IPV4: "iptables", Family.IPV6: "ip6tables"}[self]

    @property
    def sysctls(self) -> str:
        """The tree of its sysctls."""
        return {Family.IPV4: "net/ipv4", Family.IPV6: "net/ipv6"}[self]
