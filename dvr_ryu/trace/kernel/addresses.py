"""Addresses as the numbers that packets have, and as text. Pure.

The notation is that of flows. Each result is remembered: a walk asks for few of them often.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from dvr_ryu.pipeline.language.numbers import read_ipv4, read_mac, write_ipv4, write_mac

BITS = 32
LIMITED_BROADCAST = (1 << BITS) - 1


@lru_cache(maxsize=1 << 14)
def ip_number(text: str) -> int:
    """An IPv4 address as a number."""
    return read_ipv4(text)


@lru_cache(maxsize=1 << 14)
def ip_text(number: int) -> str:
    """An IPv4 address as text."""
    return write_ipv4(number)


@lru_cache(maxsize=1 << 14)
def mac_number(text: str) -> int:
    """A MAC as a number."""
    return read_mac(text)


@lru_cache(maxsize=1 << 14)
def mac_text(number: int) -> str:
    """A MAC as text."""
    return write_mac(number)


def is_group(mac: int) -> bool:
    """Whether a MAC is of several receivers: broadcast or multicast."""
    return bool(mac >> 40 & 1)


def is_multicast(ip: int) -> bool:
    """Whether an address is of 224.0.0.0/4."""
    return ip >> 28 == 0xE


def is_loopback(ip: int) -> bool:
    """Whether an address is of 127.0.0.0/8."""
    return ip >> 24 == 127


class Prefix(NamedTuple):
    """A prefix: its network's first address, and its length in bits."""

    network: int
    length: int

    @classmethod
    def of(cls, text: str) -> Prefix:
        """A prefix as iproute2 writes it: with a length, a single address, or "default"."""
        if text == "default":
            return ALL
        ip, _, length = text.partition("/")
        bits = int(length) if length else BITS
        return cls(ip_number(ip) & mask(bits), bits)

    def __contains__(self, ip: object) -> bool:
        return isinstance(ip, int) and ip & mask(self.length) == self.network

    def __str__(self) -> str:
        if not self.length:
            return "default"
        length = "" if self.length == BITS else f"/{self.length}"
        return f"{ip_text(self.network)}{length}"


ALL = Prefix(0, 0)


def mask(length: int) -> int:
    """The netmask of a prefix length, as a number."""
    return (1 << BITS) - (1 << (BITS - length))
