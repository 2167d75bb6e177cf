"""Ask the running ovs-vswitchd which datapath it has. It changes nothing.

ovs-vswitchd asks the kernel for its datapath once, when it starts. So a module that is loaded later
serves only the next ovs-vswitchd, and OVSDB does not tell.
"""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path

from attrs import frozen

from dvr_ryu.companion.providers.commands import path_of
from dvr_ryu.companion.providers.netlink.datapath import datapath_type
from dvr_ryu.companion.providers.ovsdb.database import SOCKET
from dvr_ryu.companion.resources.openvswitch.datapath import NETDEV, SYSTEM

DAEMON = "ovs-vswitchd"
PID_FILE = Path(SOCKET).with_name(f"{DAEMON}.pid")
ASKS_DATAPATH = ("ovs-appctl", "--timeout=5", "dpctl/show", "system@dvr_ryu-none")
"""Asks for a datapath of the kernel that does not exist."""
NO_DATAPATHS = "No such file or directory"
"""The answer of an ovs-vswitchd that began without the kernel's datapaths. Any other has them, and
answers that it has no such device."""


@frozen
class Daemon:
    """A running ovs-vswitchd. `started` distinguishes it from a later one of the same number."""

    pid: int
    started: str

    @classmethod
    def find(cls) -> Daemon | None:
        """The one that runs now, if one does."""
        with suppress(OSError, ValueError, IndexError):
            pid = int(PID_FILE.read_text())
            name, _, fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")
            if name.endswith(f"({DAEMON}"):
                return cls(pid, fields.split()[19])
        return None


_answers: dict[Daemon | None, bool] = {}
"""The last ovs-vswitchd that was asked, and whether it has the kernel's datapaths."""


def available_datapath() -> str:
    """Return "system" where ovs-vswitchd can use the kernel's datapath, else "netdev".

    Where it does not run or cannot be asked, the kernel's answer is that of the next one.
    """
    if (kernels := datapath_type()) != SYSTEM.type:
        return kernels
    daemon = Daemon.find()
    if daemon not in _answers:
        _answers.clear()
        _answers[daemon] = daemon is None or _has_datapaths()
    return SYSTEM.type if _answers[daemon] else NETDEV.type


def _has_datapaths() -> bool:
    program, *arguments = ASKS_DATAPATH
    if (path := path_of(program)) is None:
        return True
    done = subprocess.run([path, *arguments], capture_output=True, text=True, errors="replace")
    return NO_DATAPATHS not in done.stderr
