"""The steps of a packet through a bridge, and their outcome, as values for people and programs."""

from __future__ import annotations

from typing import NamedTuple

from attrs import frozen

from dvr_ryu.errors import Location
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.pipeline.run.state import BridgeState


class Change(NamedTuple):
    """A field that a step wrote. None: the packet lacks it."""

    name: str
    before: int | None
    after: int | None


@frozen
class Step:
    """What one table did: the flow that matched there. `depth` is 0 for the bridge's first table
    and those that goto_table leads to, and 1 more for each resubmit, clone or ct that it is within.
    """

    table: int
    name: str
    """The table's name; a table that the flow file lacks has its number."""
    location: Location | None
    """The flow's line; None if the packet matched no flow, or a learned one."""
    sentence: str
    match: str
    actions: str
    changes: tuple[Change, ...]
    notes: tuple[str, ...]
    """What else happened, one sentence each: what NORMAL decided, which output was skipped and why,
    which action cannot be run here.
    """
    outputs: tuple[str, ...]
    """The ports to which this flow's own actions sent the packet, in order."""
    depth: int = 0
    matched: bool = True
    """Whether a flow matched."""
    learned: bool = False
    """Whether the flow is one that the switch learned."""


@frozen
class Forwarding:
    """What became of a packet in a bridge. `outputs` are ports by name, each with the packet as it
    leaves there: its headers, and the fields of its tunnel (tun_id and so on).
    """

    steps: tuple[Step, ...]
    outputs: tuple[tuple[str, Packet], ...]
    final: Packet
    """The packet as the last action left it, with its registers and the like."""
    state: BridgeState
    """The bridge's state after the packet."""
