"""The rights that the companion needs: root's rights over networks and namespaces."""

from __future__ import annotations

import os
from pathlib import Path

from dvr_ryu.command import as_typed
from dvr_ryu.errors import HostError

CAPABILITIES = {"CAP_NET_ADMIN": 12, "CAP_NET_RAW": 13, "CAP_SYS_ADMIN": 21}
"""Capability → its number, of <linux/capability.h>: for devices and NAT, ARP, and namespaces."""


def is_root() -> bool:
    """Whether root runs this process."""
    return os.geteuid() == 0


def missing() -> list[str]:
    """The capabilities that we lack; root in a container may lack some."""
    status = Path("/proc/self/status").read_text()
    held = next(line for line in status.splitlines() if line.startswith("CapEff:"))
    mask = int(held.split()[1], 16)
    return [name for name, number in CAPABILITIES.items() if not mask >> number & 1]


def require() -> None:
    """Raise HostError without root, or if root lacks its usual rights."""
    if not is_root():
        raise HostError(
            "the companion changes this host's network: run it as root (sudo); "
            f"type sudo {as_typed()}"
        )
    if lacking := missing():
        raise HostError(
            f"root lacks {', '.join(lacking)} here; give this container or service these rights"
        )
