"""The network of the lab that is up, as a value: its topology, and the flows that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dvr_ryu.lab import preflight
from dvr_ryu.lab.lifecycle import THE_LAB, pipelines_of, running
from dvr_ryu.lab.state import StateFolder

if TYPE_CHECKING:
    from dvr_ryu.trace.network import Network


def network(folder: StateFolder = THE_LAB) -> Network:
    """The network that the lab was brought to last. HostError if no lab is up."""
    from dvr_ryu.companion.providers.netlink.datapath import datapath_type
    from dvr_ryu.pipeline.load import load_pipelines
    from dvr_ryu.topology.loading import parse_topology
    from dvr_ryu.trace.network import Network

    preflight.require_root()
    topology = parse_topology(folder.remembered(), running(folder).topology)
    return Network(topology, load_pipelines(pipelines_of(folder)), datapath_type())
