"""Check Open vSwitch: whether it answers, whether its daemon runs, which datapath it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dvr_ryu.companion.check.finding import Finding, fails, passes
from dvr_ryu.companion.providers.ovsdb.bridges import Ovsdb
from dvr_ryu.companion.providers.ovsdb.database import SOCKET, Database
from dvr_ryu.errors import HostError

DAEMON = "ovs-vswitchd"
PID_FILE = Path(SOCKET).with_name(f"{DAEMON}.pid")
DATAPATHS = {
    "system": "the kernel's openvswitch module",
    "netdev": "userspace, without the kernel's openvswitch module",
}


def findings(datapath_type: str, database: Database) -> Iterator[Finding]:
    """Yield Open vSwitch's state."""
    try:
        version = Ovsdb("", database).version()
    except HostError as error:
        seen, _, advice = str(error).partition("; ")
        yield fails("Open vSwitch", seen, advice)
        return
    yield passes("Open vSwitch", f"{version} answers at {SOCKET}".lstrip())
    if _runs():
        yield passes(DAEMON, "runs")
    else:
        yield fails(DAEMON, "does not run", "systemctl start openvswitch-switch")
    yield passes("datapath", DATAPATHS[datapath_type])


def _runs() -> bool:
    with suppress(OSError, ValueError):
        pid = int(PID_FILE.read_text())
        return Path(f"/proc/{pid}/comm").read_text().strip() == DAEMON
    return False
