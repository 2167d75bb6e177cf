"""What a lab needs of the machine, looked for before anything is made: root, and programs."""

from __future__ import annotations

import os
import shutil

from dvr_ryu.errors import HostError
from dvr_ryu.lab.host import environment

DEBIAN_PACKAGES = {
    "arping": "iputils-arping",
    "dnsmasq": "dnsmasq-base",
    "ethtool": "ethtool",
    "ip": "iproute2",
    "iptables": "iptables",
    "nsenter": "util-linux",
    "ovs-vswitchd": "openvswitch-switch",
    "ping": "iputils-ping",
    "setpriv": "util-linux",
    "sysctl": "procps",
    "tcpdump": "tcpdump",
    "udhcpc": "udhcpc",
    "unshare": "util-linux",
}
"""Program → the Debian package that it is in."""


def require_root(words: str) -> None:
    """HostError unless root runs us; `words` are what was typed after dvr."""
    if os.geteuid() != 0:
        raise HostError(f"a lab is made of namespaces, which needs root: type sudo dvr {words}")


def require_programs() -> None:
    """HostError that names every missing program, and what to install."""
    path = environment()["PATH"]
    missing = {
        program: package
        for program, package in DEBIAN_PACKAGES.items()
        if shutil.which(program, path=path) is None
    }
    if missing:
        packages = " ".join(sorted(set(missing.values())))
        raise HostError(
            f"a lab needs {', '.join(missing)}, which this machine lacks:"
            f" type sudo apt-get install {packages}"
        )
