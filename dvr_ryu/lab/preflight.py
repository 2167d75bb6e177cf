"""What a lab needs of the machine, looked for before anything is made: root, and programs."""

from __future__ import annotations

import os
import shutil

from dvr_ryu.command import as_typed
from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.host import environment
from dvr_ryu.packages import packages_of

PROGRAMS = (
    *("arping", "dnsmasq", "ethtool", "ip", "iptables", "nsenter", "ovs-vswitchd", "ping"),
    *("setpriv", "sysctl", "tcpdump", "udhcpc", "unshare"),
)
"""What labs, and the companions in them, run."""


def require_root() -> None:
    """HostError unless root runs us, with the same command for root."""
    if os.geteuid() != 0:
        raise HostError(f"a lab is made of namespaces, which needs root: type sudo {as_typed()}")


def require_programs() -> None:
    """HostError that names every missing program, and what to install."""
    path = environment()["PATH"]
    missing = [program for program in PROGRAMS if shutil.which(program, path=path) is None]
    if missing:
        raise HostError(
            f"a lab needs {', '.join(missing)}, which this machine lacks:"
            f" type sudo apt-get install {packages_of(missing)}"
        )
