"""Computes what flows would cut or open in the lab that is up, before it gets them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dvr_ryu.lab import tracing
from dvr_ryu.lab.lifecycle import THE_LAB
from dvr_ryu.lab.state import StateFolder

if TYPE_CHECKING:
    from dvr_ryu.prove.edits import State


def states(pipelines: Path, folder: StateFolder = THE_LAB) -> tuple[State, State]:
    """The lab as it is, and as it would be with the flows in `pipelines`. FileError or DvrError if
    these are wrong, HostError if no lab is up.
    """
    from dvr_ryu.lab.services.flows import require_valid
    from dvr_ryu.prove.edits import State

    network = tracing.network(folder)
    topology = network.topology
    return State(topology, network.pipelines), State(topology, require_valid(pipelines, topology))
