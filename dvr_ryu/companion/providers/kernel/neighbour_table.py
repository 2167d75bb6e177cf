"""The kernel's table of IPv4 neighbours (ARP): one for all namespaces of a machine, and limited.

If it is full, the kernel forgets neighbours resolved 5 seconds ago, or drops packets. Permanent
entries, as routers have for declared addresses, do not count since Linux 5.0.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

LIMIT = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
"""Only the machine's own network namespace shows it."""
STATISTICS = Path("/proc/net/stat/arp_cache")
LEAST = 4096
"""The limit to set, at least."""


def limit() -> int | None:
    """The most entries of the table; None if the limit is not visible here."""
    with suppress(OSError, ValueError):
        return int(LIMIT.read_text())
    return None


def in_use() -> int:
    """The number of its entries, including permanent ones; 0 if it is not visible here."""
    with suppress(OSError, ValueError, IndexError):
        return int(STATISTICS.read_text().splitlines()[1].split()[0], 16)
    return 0


def advice(needed: int) -> str:
    """The command that makes room for so many, and for as many again."""
    room = max(LEAST, 1 << (2 * needed - 1).bit_length())
    return f"sysctl -w net.ipv4.neigh.default.gc_thresh3={room}"
