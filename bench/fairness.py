"""Measures how long switches wait while the controller fills another, large bridge.

The waiting switches are fakes: they take almost no time themselves, and share no Open vSwitch with
the large bridge.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from statistics import median
from threading import Event

from attrs import frozen

from bench.figures import Figure, spaced
from bench.rig.controller import Controller
from bench.rig.fake_switch import FakeSwitch
from bench.rig.testbed import Testbed, planned_ports, testbed
from bench.rig.topologies import BRIDGE, PAIR, fabric_of, host, with_pair
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.loading import load_topology

HOSTS, NETWORKS, FLOWS = 50, 100, 50_000
ROUNDS = 3

_PAUSE = 0.005
"""Seconds between two requests, so that the answers do not keep the controller busy."""


@frozen
class _Worst:
    """The longest waits during a fill, and the duration of the fill, in seconds."""

    echo: float
    change: float
    fill: float


def measure() -> Iterator[Figure]:
    """The figures, in ms."""
    text = with_pair(fabric_of(FLOWS, HOSTS, NETWORKS, load_pipelines(flows_dir())))
    with testbed(text) as bed:
        rounds = [_round(bed) for _ in range(ROUNDS)]
    fill = 1000 * median(each.fill for each in rounds)
    during = f"while {spaced(FLOWS)} flows fill another bridge"
    for what, waits in (
        ("worst echo", [each.echo for each in rounds]),
        ("worst small change", [each.change for each in rounds]),
    ):
        yield Figure(f"{what} {during}", "ms", 1000 * max(waits), fill, "the whole fill")


def _round(bed: Testbed) -> _Worst:
    """One fill by a new controller, and the waits of the fake switches meanwhile."""
    tunnel = load_topology(bed.topology).tunnel_devices[PAIR[1]]
    with bed.controller() as controller, ExitStack() as stack:
        changing, idle = (stack.enter_context(_joined(bed, controller, name)) for name in PAIR)
        bed.switch.rest()
        with ThreadPoolExecutor() as pool:
            done = Event()
            echoes = pool.submit(_worst_echo, idle, done)
            changes = pool.submit(_worst_change, changing, tunnel, done)
            bed.switch.connect(controller.target, BRIDGE)
            filled = controller.in_sync(bridge=f"{host(0)}/{BRIDGE}")
            done.set()
    bed.switch.empty(BRIDGE)
    assert filled.milliseconds is not None, "the bridge was not empty"
    return _Worst(echoes.result(), changes.result(), filled.milliseconds / 1000)


@contextmanager
def _joined(bed: Testbed, controller: Controller, name: str) -> Iterator[FakeSwitch]:
    """A fake switch that is in sync as a host's br-tun; disconnected at the end."""
    fake = FakeSwitch(controller.port, f"{name}/{BRIDGE}", planned_ports(bed.topology, name))
    try:
        fake.await_change()
        yield fake
    finally:
        fake.close()


def _worst_echo(fake: FakeSwitch, done: Event) -> float:
    worst = 0.0
    while not done.wait(_PAUSE):
        worst = max(worst, fake.echo())
    return worst


def _worst_change(fake: FakeSwitch, tunnel: str, done: Event) -> float:
    """Remove and add a port: this change needs no file."""
    worst = 0.0
    while not done.wait(_PAUSE):
        worst = max(worst, fake.lose_port(tunnel), fake.gain_port(tunnel))
    return worst
