"""Where the companion notes what is its own, in words of the shell. Pure text."""

from __future__ import annotations

from dvr_ryu.companion.edges import connections, dhcp, namespaces, processes, renewals, sysctls
from dvr_ryu.companion.edges.flows import NOTES as FLOWS_OF_OTHERS
from dvr_ryu.companion.edges.flows import TAKEN as FLOWS_BEFORE
from dvr_ryu.companion.facts.kinds import KeptSysctl


def folders() -> str:
    """Make the folders of all notes."""
    places = (namespaces.NOTES, sysctls.NOTES, dhcp.FILES, processes.PIDS, connections.NOTES)
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


def kept_sysctl(fact: KeptSysctl) -> str:
    """The file that holds what a setting was before."""
    return str(sysctls.note(fact))
