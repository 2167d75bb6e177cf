"""How many neighbours a lab and its proof make the kernel know: it has one table for all hosts."""

from __future__ import annotations

from dvr_ryu.companion.providers.kernel import neighbour_table
from dvr_ryu.lab.proof.checks import address_checks, reach_checks
from dvr_ryu.topology.topology import Topology


def estimate(topology: Topology) -> int:
    """About how many entries there are at most, beside permanent ones, once all is tried: all hosts
    and the controller know each other, and a check leaves one, at one of its ends or at the other.
    """
    hosts = len(topology.hosts)
    return hosts * (hosts + 1) + len(address_checks(topology)) + len(reach_checks(topology))


def shortage(topology: Topology) -> str:
    """What to do if the kernel has no room for a lab beside what is there; nothing if it has."""
    limit, needed = neighbour_table.limit(), estimate(topology) + neighbour_table.in_use()
    if limit is None or needed <= limit:
        return ""
    return (
        f"the kernel has room for {limit} neighbours of all hosts together, and about {needed} are"
        f" to come: packets may be lost; type {neighbour_table.advice(needed)}"
    )
