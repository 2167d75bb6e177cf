"""Under thousands of hostile inputs and floods of connections, a controller does not hang, does not
leak memory, and keeps its bridges in sync.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from threading import Event, Thread

import pytest

from bench.rig.relay import Relay
from dvr_ryu.lab.wait import wait_until
from tests.switch.conftest import view_of
from tests.switch.support.controller import PATIENCE, Controller
from tests.switch.support.ovs import Ovs
from tests.switch.support.peers import Peer, State
from tests.switch.test_hostile_peers import assert_cares, memory, tracebacks
from tests.switch.test_sync import HOST

INPUTS = int(os.environ.get("DVR_INPUTS", "10000"))
SEED = int(os.environ.get("DVR_SEED", "15"))
FUZZERS = 4
WARM_UP = 1000
MOST_GROWTH = 20_000
"""So many KiB more than after the warm-up may the controller have after all inputs."""
MOST_RATIO = 20
"""A small change may take so many times longer meanwhile. The goal is 10; a busy machine must not
fail the test."""
ROOT = Path(__file__).parents[2]


def start(controller: Controller, recorded: Path, seed: int, inputs: int) -> subprocess.Popen[str]:
    arguments = [
        "-m",
        "tests.switch.support.fuzz",
        str(controller.port),
        str(seed),
        str(inputs),
        str(recorded),
    ]
    return subprocess.Popen(
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )


def outcome(fuzzer: subprocess.Popen[str]) -> tuple[int, list[str]]:
    printed, _ = fuzzer.communicate()
    assert fuzzer.returncode == 0
    report = json.loads(printed)
    return report["inputs"], report["hung"]


@contextmanager
def flood(port: int) -> Iterator[None]:
    """While the block runs, open silent connections all the time, and never read."""
    over = Event()

    def connect() -> None:
        silent: list[socket.socket] = []
        while not over.wait(0.02):
            with suppress(OSError):
                silent.append(socket.create_connection(("127.0.0.1", port)))
            if len(silent) > 100:
                silent.pop(0).close()
        for each in silent:
            each.close()

    thread = Thread(target=connect)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def record(ovs: Ovs, controller: Controller, topology_file: Path, file: Path) -> None:
    """Connect a real bridge, and record its messages."""
    relay = Relay(controller.port)
    try:
        ports = view_of(topology_file, HOST).planned_ofports("br-tun")
        ovs.add_bridge("br-tun", f"{HOST}/br-tun", ports, relay.target)
        controller.wait_for(f"{HOST}/br-tun in sync")
        assert_cares(ovs, controller, topology_file)
        sent = [each.packed().hex() for tape in relay.tapes for each in tape.switch.messages()]
    finally:
        relay.stop()
    assert len(sent) > 10
    file.write_text("\n".join(sent))
    ovs.vsctl("set-controller", "br-tun", controller.target)
    controller.wait_for(f"{HOST}/br-tun in sync: 54 flows, nothing to change")


def busy(controller: Controller) -> float:
    """The share of a processor that the process uses."""

    def ticks() -> int:
        fields = Path(f"/proc/{controller.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    before, began = ticks(), time.monotonic()
    time.sleep(0.5)
    passed = time.monotonic() - began
    return (ticks() - before) / os.sysconf("SC_CLK_TCK") / passed


@pytest.mark.timeout(600)
def test_no_input_hangs_or_bloats_the_controller(
    ovs: Ovs, controller: Controller, topology_file: Path, folder: Path
) -> None:
    controller.kill()
    command = controller.command
    controller.command = ["sh", "-c", 'ulimit -n 200; exec "$@"', "sh", *command]
    controller.start()
    recorded = folder / "recorded"
    record(ovs, controller, topology_file, recorded)
    view = view_of(topology_file, HOST)
    ports = view.planned_ofports("br-int")
    name = next(iter(ports))
    assert outcome(start(controller, recorded, SEED - 1, WARM_UP))[1] == []
    before = memory(controller)
    with Peer(controller.port, f"{HOST}/br-int".encode(), ports) as honest:
        honest.advance(State.SETTLED)
        alone = [honest.change(reason, name) for reason in (1, 0) * 50]
        began = time.monotonic()
        fuzzers = [
            start(controller, recorded, SEED + at, INPUTS // FUZZERS) for at in range(FUZZERS)
        ]
        during = list[float]()
        with flood(controller.port):
            while any(fuzzer.poll() is None for fuzzer in fuzzers):
                during += [honest.change(reason, name) for reason in (1, 0)]
                time.sleep(0.1)
            assert_cares(ovs, controller, topology_file)
        seconds = time.monotonic() - began
        done = [outcome(fuzzer) for fuzzer in fuzzers]
        after = memory(controller)
    assert_cares(ovs, controller, topology_file)
    ratio, worst = median(during) / median(alone), max(during) / median(alone)
    print(
        f"seed {SEED}: {sum(inputs for inputs, _ in done)} inputs in {seconds:.0f} s; "
        f"{sum(len(hung) for _, hung in done)} hung; {len(tracebacks(controller))} tracebacks; "
        f"{before} KiB before, {after} KiB after; a small change takes "
        f"{1000 * median(alone):.1f} ms alone, {ratio:.1f} times that meanwhile "
        f"({worst:.0f} times at worst, of {len(during)})"
    )
    assert sum(inputs for inputs, _ in done) >= INPUTS
    assert [hung for _, hung in done] == [[]] * FUZZERS
    assert tracebacks(controller) == []
    assert after - before < MOST_GROWTH
    assert ratio < MOST_RATIO
    wait_until(lambda: busy(controller) < 0.2, PATIENCE, "an idle controller")
