"""Where the companion notes what is its own, in words of the shell. Pure text."""

from __future__ import annotations

from dvr_ryu.companion.providers.dnsmasq import servers
from dvr_ryu.companion.providers.kernel import sysctls
from dvr_ryu.companion.providers.netlink import conntrack, namespaces
from dvr_ryu.companion.providers.ovs_ofctl.flows import NOTES as FLOWS_OF_OTHERS
from dvr_ryu.companion.providers.ovs_ofctl.flows import TAKEN as FLOWS_BEFORE
from dvr_ryu.companion.providers.processes import processes, renewals
from dvr_ryu.companion.resources.sysctl import RestoredSysctl


def folders() -> str:
    """Make the folders of all notes."""
    places = (namespaces.NOTES, sysctls.NOTES, servers.FILES, processes.PIDS, conntrack.NOTES)
    more = (renewals.NOTES, FLOWS_OF_OTHERS, FLOWS_BEFORE)
    return f"mkdir -p {' '.join(map(str, (*places, *more)))}"


def flows(bridge: str) -> str:
    """The file that keeps the flows of others while a bridge may lose them."""
    return f"{FLOWS_OF_OTHERS}/{bridge}"


def flows_before(bridge: str) -> str:
    """The file that keeps the flows that a bridge had before us."""
    return f"{FLOWS_BEFORE}/{bridge}"


def namespace(name: str) -> str:
    """The file that says that a namespace is ours."""
    return f"{namespaces.NOTES}/{name}"


def kept_sysctl(resource: RestoredSysctl) -> str:
    """The file that holds what a setting was before."""
    return str(sysctls.note(resource))
