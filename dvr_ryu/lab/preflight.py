"""Checks, before a lab makes anything, that root runs it, that the machine has its programs, and
that the kernel keeps mounts apart and makes the devices that it needs.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from dvr_ryu.command import as_typed
from dvr_ryu.errors import HostError
from dvr_ryu.lab.hosts.host import environment
from dvr_ryu.packages import packages_of

PROGRAMS = (
    *("arping", "dnsmasq", "ethtool", "ip", "iptables", "nsenter", "ovs-vswitchd", "ping"),
    *("setpriv", "sysctl", "tcpdump", "udhcpc", "unshare"),
)
"""The programs that labs, and the companions in them, run."""


def require_root() -> None:
    """Raise HostError unless root runs this process; it advises the same command with sudo."""
    if os.geteuid() != 0:
        raise HostError(f"a lab is made of namespaces, which needs root: type sudo {as_typed()}")


def require_programs(programs: Sequence[str] = PROGRAMS) -> None:
    """Raise HostError if programs are missing; it names them and their Debian packages."""
    path = environment()["PATH"]
    missing = [program for program in programs if shutil.which(program, path=path) is None]
    if missing:
        raise HostError(
            f"a lab needs {', '.join(missing)}, which this machine lacks:"
            f" type sudo apt-get install {packages_of(missing)}"
        )


def require_mounted_root() -> None:
    """Raise HostError if / is a folder that no mount made, as in a plain chroot: the kernel then
    refuses to keep the mounts of namespaces apart.
    """
    mounts = Path("/proc/self/mountinfo").read_text().splitlines()
    if not any(line.split()[4] == "/" for line in mounts):
        raise HostError(
            "a lab has mounts of its own, but / is a chroot's folder and no mount point:"
            " type mount --bind FOLDER FOLDER before you chroot to FOLDER"
        )


def require_devices() -> None:
    """Raise HostError if Open vSwitch could not make the devices of its bridges here."""
    # These imports take 0.2 s; dvr lab exec should not wait for them.
    from dvr_ryu.companion.providers.kernel import taps
    from dvr_ryu.companion.providers.netlink.datapath import datapath_type
    from dvr_ryu.companion.resources.openvswitch.datapath import datapath

    if datapath(datapath_type()).needs_taps:
        try:
            taps.require()
        except OSError as error:
            raise HostError(
                "this kernel has no openvswitch module, so a lab needs tap devices, and"
                f" {taps.TUN} fails: {error.strerror}: {taps.ADVICE}"
            ) from error
