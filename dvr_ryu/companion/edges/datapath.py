"""Which datapath Open vSwitch has on this machine."""

from __future__ import annotations

from pathlib import Path


def datapath_type() -> str:
    """Return "system" where the kernel has the openvswitch module, else "netdev"."""
    return "system" if Path("/sys/module/openvswitch").is_dir() else "netdev"
