"""The interpreter does what ofproto/trace of a real Open vSwitch says: the same ports, the same
packets, and the same learned state after them.

Each bridge gets a sequence of random packets, and both sides learn from it. Thousands of packets:
``DVR_TRACES=5000 DVR_SEED=7 .venv/bin/pytest -s tests/switch/interpreter``.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.pipeline.run.bridge import Bridge
from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.pipeline.run.ports import LOCAL
from dvr_ryu.pipeline.run.state import BridgeState
from dvr_ryu.pipeline.run.steps import Forwarding
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.view import HostView
from tests.switch.interpreter.packets import PacketMaker
from tests.switch.interpreter.tracer import Tracer
from tests.unit.pipeline.sites import HOSTS, Site, sites, topology

TRACES = int(os.environ.get("DVR_TRACES", "600"))
"""Packets of random topologies' bridges, for the shipped pipelines."""
SEED = int(os.environ.get("DVR_SEED", "17"))
PACKETS = 50
"""Packets in one sequence."""

SHIPPED = load_pipelines(flows_dir())
EXPERIMENTS = sorted(
    folder for folder in (flows_dir() / "experiments").iterdir() if folder.is_dir()
)
EXAMPLES = sorted(examples_dir().glob("*.yaml"))


def arrivals(bridge: Bridge, view: HostView, dice: random.Random) -> Iterator[tuple[str, Packet]]:
    """A sequence of packets, each with the port where it comes in."""
    make = PacketMaker(view, dice)
    for _ in range(PACKETS):
        port = dice.choice([port for port in bridge.ports if port.number != LOCAL])
        tunnel = any(port.name == row.port for row in view.tunnel)
        likely = 0.03 if port.tag is not None or tunnel else 0.97
        yield port.name, make.packet(likely, tunnelled=tunnel and bridge.name == "br-tun")


def first_difference(
    tracer: Tracer, pipelines: Pipelines, name: str, view: HostView, dice: random.Random
) -> str | None:
    """Run a sequence of packets on both sides; return where they first differ."""
    bridge = Bridge(pipelines.by_bridge[name], view)
    tunnels = {row.port: row.address for row in view.tunnel} if name == "br-tun" else {}
    tunnel_type = view.topology.underlay.tunnel_type
    tracer.make(name, bridge.ports, pipelines.lines(name, view), tunnels, tunnel_type)
    state = BridgeState()
    for port, packet in arrivals(bridge, view, dice):
        theirs = tracer.trace(name, packet, bridge.by_name[port].number)
        ours = bridge.forward(state, packet, port)
        state = ours.state
        if difference := compared(ours.outputs, theirs.outputs):
            what = f"{name} of {view.host.name}: {packet} at {port}: {difference}"
            return f"{what}\n{steps_text(ours)}\n{theirs.text}"
        macs = {(vlan, mac, port) for (vlan, mac), port in state.macs.items()}
        if macs != (learned := tracer.learned_macs(name)):
            what = f"we learned {macs - learned}, Open vSwitch {learned - macs}"
            return f"{name} {packet} at {port}: {what}\n{steps_text(ours)}\n{theirs.text}"
    flows, learned_flows = set(state.learned), tracer.learned_flows(name)
    if flows != learned_flows:
        theirs_only, ours_only = learned_flows - flows, flows - learned_flows
        return (
            f"{name}: we learned {[*map(str, ours_only)]}, Open vSwitch {[*map(str, theirs_only)]}"
        )
    return None


def steps_text(forwarding: Forwarding) -> str:
    return "\n".join(
        f"{step.table:3} {'  ' * step.depth}{step.match} actions={step.actions} {step.notes}"
        for step in forwarding.steps
    )


def compared(
    ours: tuple[tuple[str, Packet], ...], theirs: tuple[tuple[str, Packet], ...]
) -> str | None:
    one, other = sorted(map(_written, ours)), sorted(map(_written, theirs))
    return None if one == other else f"\n  we send {one}\n  Open vSwitch sends {other}"


def _written(output: tuple[str, Packet]) -> str:
    port, packet = output
    return f"{port}: {packet}"


@seed(SEED)
@settings(
    max_examples=max(1, TRACES // (2 * PACKETS)),
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(site=sites)
def test_shipped_pipelines_of_random_topologies(tracer: Tracer, site: Site) -> None:
    made = topology(site)
    dice = random.Random(repr(site))
    host = dice.choice([host for host in HOSTS if host in made.hosts])
    for name in SHIPPED.by_bridge:
        view = HostView(made, host)
        difference = first_difference(tracer, SHIPPED, name, view, dice)
        assert not difference, difference


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("folder", [flows_dir(), *EXPERIMENTS], ids=lambda path: path.name)
def test_pipelines_of_the_examples(tracer: Tracer, folder: Path, example: Path) -> None:
    pipelines = load_pipelines(folder)
    made = load_topology(example)
    dice = random.Random(f"{folder.name} {example.name} {SEED}")
    host = dice.choice([*made.hosts])
    for name in pipelines.by_bridge:
        view = HostView(made, host)
        difference = first_difference(tracer, pipelines, name, view, dice)
        assert not difference, difference
