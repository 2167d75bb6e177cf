"""Finds out which instances others have plugged into a lab's hosts. It changes nothing."""

from __future__ import annotations

import json

from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.topology.topology import Topology

_LIST = ["ovs-vsctl", "--format=json", "--columns=ofport", "list", "Interface"]


def unplugged(host: LabHost, topology: Topology) -> frozenset[str]:
    """The devices of instances that others plug in, and have not plugged in on this host."""
    if not topology.plugged:
        return frozenset()
    rows = json.loads(host.run(_LIST).stdout)["data"]
    numbers = {row[0] for row in rows if isinstance(row[0], int)}
    return frozenset(card.device for card in topology.plugged if card.ofport not in numbers)
