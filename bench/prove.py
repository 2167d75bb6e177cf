"""Measures `prove`: the article's lab, a large fabric, and that fabric after one edited line; each
beside the trace of one packet. Computed alone: no switch runs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from random import Random
from statistics import median

from bench.figures import Figure, Goal, spaced
from bench.rig.topologies import Instance, fabric_at_random, host, network
from dvr_ryu.pipeline.load import load_pipelines
from dvr_ryu.prove.attempt import Attempt
from dvr_ryu.prove.proof import Judge, Proof, Report
from dvr_ryu.shipped import examples_dir, flows_dir
from dvr_ryu.topology.loading import load_topology, parse_topology
from dvr_ryu.topology.topology import Topology

HOSTS, NETWORKS, INSTANCES = 50, 100, 10_000
ROUNDS = 3


def measure() -> Iterator[Figure]:
    """The figures, in ms of the processor; a trace is that of a ping with its answer."""
    pipelines = load_pipelines(flows_dir())
    article = load_topology(examples_dir() / "human-defined-dvr.yaml")
    judge = Judge(article, pipelines)
    attempt = Attempt(0, "cirros", "vm-68")
    judge.trace(attempt)  # its hosts are made now
    trace = median(_milliseconds(lambda: judge.trace(attempt)) for _ in range(20))
    yield Figure("trace one ping and its answer", "ms", trace)

    whole = median(_proof(Proof(pipelines), article) for _ in range(ROUNDS))
    yield Figure("prove the article's lab", "ms", whole, trace, "one trace", Goal(1000, True))

    what = f"prove {spaced(INSTANCES)} instances, {NETWORKS} networks, {HOSTS} hosts"
    text = fabric_at_random(HOSTS, NETWORKS, INSTANCES, Random(1))
    proof = Proof(pipelines)
    large = _proof(proof, parse_topology(text, "generated"))
    yield Figure(what, "ms", large, trace, "one trace", Goal(30_000, True))

    edits = [parse_topology(_moved(text, number), "generated") for number in range(1, 2 * ROUNDS)]
    edited = median(_proof(proof, topology) for topology in edits)
    yield Figure(f"{what}: one edited line", "ms", edited, trace, "one trace", Goal(200, True))


def _moved(text: str, number: int) -> str:
    """The text with the line of one instance edited: it is on another host and network."""
    name = f"vm-{number}"
    begin = text.index(f"  {name}:")
    end = text.index("\n", begin) + 1
    there = Instance(name, host(number % HOSTS), network(number * 7 % NETWORKS))
    return text[:begin] + there.line() + text[end:]


def _proof(proof: Proof, topology: Topology) -> float:
    reports: list[Report] = []
    taken = _milliseconds(lambda: reports.append(proof.prove(topology)))
    assert all(report.holds for report in reports)
    return taken


def _milliseconds(action: Callable[[], object]) -> float:
    started = time.process_time()
    action()
    return 1000 * (time.process_time() - started)
