"""Ask ovs-vswitchd which MACs a bridge has learned at which port. It changes nothing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress

from dvr_ryu.companion.providers.commands import run
from dvr_ryu.errors import HostError


def learned_macs(bridge: str) -> Mapping[int, frozenset[str]]:
    """OpenFlow port number → the MACs that sent there; none if ovs-vswitchd does not answer."""
    with suppress(HostError):
        return parsed(run(["ovs-appctl", "--timeout=5", "fdb/show", bridge]))
    return {}


def parsed(shown: str) -> Mapping[int, frozenset[str]]:
    """The same from what `fdb/show` prints: port, VLAN, MAC and age in columns."""
    found: defaultdict[int, set[str]] = defaultdict(set)
    for line in shown.splitlines():
        port, _, rest = line.strip().partition(" ")
        if port.isdigit():
            found[int(port)].add(rest.split()[1])
    return {port: frozenset(macs) for port, macs in found.items()}
