"""Finds out which instances others have plugged into a lab's hosts. It changes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping

from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.topology.bridges import Plug, bridge_of
from dvr_ryu.topology.topology import Topology

_LIST = ["ovs-vsctl", "--format=json", "--columns=ofport", "list", "Interface"]
_COUNT = ["ovs-ofctl", "-OOpenFlow14", "dump-aggregate", bridge_of(Plug.DEVICES)]


def actual_ports(host: LabHost, topology: Topology, planned: Mapping[str, int]) -> dict[str, int]:
    """The planned ports of br-int that are there: of those that others plug in, only the ones that
    are plugged in on this host. Name → number.
    """
    guests = {card.device: card.ofport for card in topology.plugged}
    if not guests:
        return {**planned}
    rows = json.loads(host.run(_LIST).stdout)["data"]
    numbers = {row[0] for row in rows if isinstance(row[0], int)}
    ours = {name: number for name, number in planned.items() if name not in guests}
    return ours | {name: number for name, number in guests.items() if number in numbers}


def as_led(topology: Topology, hosts: Mapping[str, LabHost]) -> Topology:
    """The topology with roaming instances on the lab hosts where flows lead to them."""
    led = {
        card.name: name
        for card in topology.roaming
        for name in topology.hosts
        if name in hosts and _leads(hosts[name], card.ofport)
    }
    return topology.with_roaming(led)


def _leads(host: LabHost, number: int) -> bool:
    counted = host.run([*_COUNT, f"out_port={number}"], check=False).stdout
    return bool(counted) and "flow_count=0" not in counted
