"""Finds the topology that is in force on this machine: its companion's, or that of the lab."""

from __future__ import annotations

from pathlib import Path

from dvr_ryu.companion.upkeep.memory import FILE
from dvr_ryu.errors import DvrError
from dvr_ryu.lab import preflight
from dvr_ryu.lab.lifecycle import THE_LAB, running
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.topology import Topology


def applied_topology(folder: StateFolder = THE_LAB, memory: Path = Path(FILE)) -> Topology:
    """The topology that the companion of this host applied last; else that of the lab that is up
    here. Raise DvrError if there is neither.
    """
    if memory.exists():
        return load_topology(memory)
    if folder.path.exists():
        preflight.require_root()
        if folder.read() is not None:
            return load_topology(Path(running(folder).topology))
    raise DvrError("no companion has applied a topology here, and no lab is up: name a topology")
