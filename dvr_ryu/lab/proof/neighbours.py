"""Estimates a lab's neighbour entries: all hosts share one table of the kernel."""

from __future__ import annotations

from dvr_ryu.companion.providers.kernel import neighbour_table
from dvr_ryu.lab.proof.checks import address_checks, reach_checks
from dvr_ryu.topology.topology import Topology


def estimate(topology: Topology) -> int:
    """The approximate maximum of entries after the proof, without permanent ones. All hosts and the
    controller know each other, and each check adds one entry at one of its two ends.
    """
    hosts = len(topology.hosts)
    checks = (*address_checks(topology), *reach_checks(topology), *topology.expected)
    return hosts * (hosts + 1) + len(checks)


def shortage(topology: Topology) -> str:
    """A warning with advice if the kernel's table is too small for the lab; empty if not."""
    limit, needed = neighbour_table.limit(), estimate(topology) + neighbour_table.in_use()
    if limit is None or needed <= limit:
        return ""
    return (
        f"the kernel has room for {limit} neighbours of all hosts together, but about {needed}"
        f" will be needed: packets may be lost; type {neighbour_table.advice(needed)}"
    )
