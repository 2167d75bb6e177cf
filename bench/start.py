"""Measures the time from the start of ryu-manager to the last flow of a waiting switch, and its
stages. The peer imports Ryu and reads the same YAML.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from bench.figures import Figure, Goal, alternate, spaced
from bench.rig.controller import Controller
from bench.rig.testbed import Testbed, testbed
from bench.rig.topologies import BRIDGE, fabric

HOSTS, NETWORKS, INSTANCES = 50, 100, 10_000
ROUNDS = 3

_LISTEN = "0A"
"""The state of a listening socket in /proc/net/tcp."""

# The imports of ryu-manager without an app. The script prints the seconds of the YAML.
_PLAIN = """\
import ryu.cmd.manager, ryu.controller.ofp_handler, ryu.ofproto.ofproto_v1_4_parser
import sys, time, yaml
started = time.perf_counter()
with open(sys.argv[1]) as file:
    yaml.load(file, yaml.CSafeLoader)
print(time.perf_counter() - started)
"""

# The steps of the controller with its files. The script prints the seconds of each.
_READING = """\
import sys, time
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.spec.yaml_nodes import Document
begun = time.perf_counter()
Document(open(sys.argv[1]).read(), sys.argv[1])
yaml = time.perf_counter()
load_topology(sys.argv[1])
topology = time.perf_counter()
load_pipelines(flows_dir())
print(yaml - begun, (topology - yaml) - (yaml - begun), time.perf_counter() - topology)
"""


def measure() -> Iterator[Figure]:
    """The figures, in ms."""
    with testbed(fabric(HOSTS, NETWORKS, INSTANCES - NETWORKS)) as bed:
        yield from _Start(bed).figures()


class _Start:
    """Starts a controller and its peer, and notes the duration of each stage."""

    def __init__(self, bed: Testbed) -> None:
        self._bed = bed
        self._switch = bed.switch
        self._stages: dict[str, list[float]] = defaultdict(list)

    def figures(self) -> Iterator[Figure]:
        what = f"start with {spaced(INSTANCES)} instances"
        ours, plain, _ = (
            1000 * each for each in alternate(ROUNDS, self._ours, self._plain, self._reading)
        )
        stages = {name: 1000 * median(taken) for name, taken in self._stages.items()}
        plain_yaml = stages["plain YAML"]
        yield Figure(what, "ms", ours, plain, "import Ryu, read that YAML", Goal(3))
        yield Figure(
            f"{what}: interpreter, imports",
            "ms",
            stages["imports"],
            plain - plain_yaml,
            "import Ryu",
        )
        yield Figure(f"{what}: YAML", "ms", stages["YAML"], plain_yaml, "yaml.CSafeLoader")
        for name in ("model", "compile flows/", "connect", "compute and send"):
            yield Figure(f"{what}: {name}", "ms", stages[name])

    def _ours(self) -> float:
        with self._bed.controller() as controller:
            _await_listener(controller.port)
            self._switch.connect(controller.target, BRIDGE)
            done = controller.in_sync()
            assert done.milliseconds is not None, "the bridge was not empty"
            self._keep_stages(controller, done.at - done.milliseconds / 1000, done.at)
        self._switch.empty(BRIDGE)
        return done.at - controller.started

    def _keep_stages(self, controller: Controller, computing: float, done: float) -> None:
        imported = controller.time_of("instantiating app dvr_ryu.app")
        listening = controller.time_of("listening on")
        self._stages["imports"].append(imported - controller.started)
        self._stages["connect"].append(computing - listening)
        self._stages["compute and send"].append(done - computing)

    def _plain(self) -> float:
        started = time.perf_counter()
        (yaml,) = _run(_PLAIN, self._bed.topology)
        self._stages["plain YAML"].append(yaml)
        return time.perf_counter() - started

    def _reading(self) -> float:
        yaml, model, compiling = _run(_READING, self._bed.topology)
        self._stages["YAML"].append(yaml)
        self._stages["model"].append(model)
        self._stages["compile flows/"].append(compiling)
        return yaml + model + compiling


def _run(script: str, topology: Path) -> list[float]:
    """Run Python as a new process; return the seconds that it prints."""
    command = [sys.executable, "-c", script, str(topology)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
    return [float(command) for command in done.stdout.split()]


def _await_listener(port: int) -> None:
    """Wait until a socket listens on a port of loopback, without a connection to it."""
    local = f"0100007F:{port:04X}"
    while not any(
        fields[1] == local and fields[3] == _LISTEN
        for fields in map(str.split, Path("/proc/net/tcp").read_text().splitlines())
    ):
        time.sleep(0.001)
