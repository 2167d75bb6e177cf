"""Check Open vSwitch: whether it answers, whether its daemon runs, which datapath it has."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from dvr_ryu.companion.check.finding import Finding, fails, passes, warns
from dvr_ryu.companion.desired.bridges import is_userspace
from dvr_ryu.companion.providers.netlink.datapath import datapath_type as kernels_datapath
from dvr_ryu.companion.providers.ovs_appctl.vswitchd import DAEMON, Daemon, available_datapath
from dvr_ryu.companion.providers.ovsdb.bridges import Ovsdb
from dvr_ryu.companion.providers.ovsdb.database import SOCKET, Database
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.datapath import SYSTEM
from dvr_ryu.errors import HostError
from dvr_ryu.topology.bridges import BRIDGES

RESTART = "systemctl restart openvswitch-switch"


def findings(datapath_type: str, database: Database) -> Iterator[Finding]:
    """Yield Open vSwitch's state."""
    try:
        ovsdb = Ovsdb("", database)
        version, present = ovsdb.version(), ovsdb.present(BRIDGES)
    except HostError as error:
        seen, _, advice = str(error).partition("; ")
        yield fails("Open vSwitch", seen, advice)
        return
    yield passes("Open vSwitch", f"{version} answers at {SOCKET}".lstrip())
    if Daemon.find():
        yield passes(DAEMON, "runs")
    else:
        yield fails(DAEMON, "does not run", "systemctl start openvswitch-switch")
    yield _datapath(datapath_type, present)


def failures(database: Database) -> Iterator[Finding]:
    """Yield our ports and bridges that Open vSwitch could not make, each with its reason."""
    with suppress(HostError):  # another finding says so
        for name, reason in Ovsdb("", database).failures().items():
            advice = "correct that, then apply anew"
            yield fails(name, f"Open vSwitch cannot make it: {reason}", advice)


def _datapath(datapath_type: str, present: list[Bridge]) -> Finding:
    """Which datapath is in use, and how to change to a module of the kernel that came later."""
    what = "datapath"
    if datapath_type == SYSTEM.type:
        return passes(what, "the kernel's openvswitch module")
    if kernels_datapath() != SYSTEM.type:
        return passes(what, "userspace, without the kernel's openvswitch module")
    userspace = [bridge for bridge in present if is_userspace(bridge)]
    if any(bridge.before is not None for bridge in userspace):
        return passes(what, "userspace, like the bridges that were here before dvr_ryu")
    began_without = available_datapath() != SYSTEM.type
    seen = ", as ovs-vswitchd began before it" if began_without else ", as our bridges began so"
    steps = [
        *(["dvr companion down --host HOST"] if userspace else []),
        *([RESTART] if began_without else []),
        "dvr companion apply",
    ]
    advice = f"all works as it is; to use the module: {', then '.join(steps)}"
    return warns(what, f"userspace, without the kernel's openvswitch module{seen}", advice)
