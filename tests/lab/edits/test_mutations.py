"""Mistakes in flows/, one at a time, in the article's lab: `prove` finds each that breaks a packet,
and none that breaks no packet. The judge is the lab, with real pings.

DVR_MUTATIONS is the number of mistakes, DVR_SEED their seed, which is printed. A switch forgets
what it has learned before each ping that decides, as a trace begins with empty caches.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from dvr_ryu.companion.providers.netlink.datapath import datapath_type
from dvr_ryu.lab import lifecycle, proving
from dvr_ryu.lab.proof.probes import ICMP_OVERHEAD
from dvr_ryu.lab.proof.proof import watched_underlay
from dvr_ryu.prove.attempt import Attempt, Kind
from dvr_ryu.prove.edits import Effect, differences
from dvr_ryu.prove.findings import Fault, Finding
from dvr_ryu.prove.proof import Judge, Proof
from dvr_ryu.shipped import flows_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.endpoints import ends
from tests.lab.support.article import Article, article_lab
from tests.lab.support.mutations import Mutation, mutations
from tests.unit.prove.edited_flows import ACROSS, edited

MUTATIONS = int(os.environ.get("DVR_MUTATIONS", "4"))
SEED = int(os.environ.get("DVR_SEED", secrets.randbelow(1_000_000)))
TRIED = 4
"""So many packets that should fail are tried, of each mistake."""
FORGET = """
ovs-ofctl -O OpenFlow13 del-flows br-tun cookie=0x6c6561726e6564/-1
ovs-ofctl -O OpenFlow13 del-flows br-int cookie=0x6c6561726e6564/-1
ovs-appctl fdb/flush br-int
ip neigh flush all
for name in $(ls /run/netns); do ip -n $name neigh flush all; done
"""


@pytest.fixture(scope="module")
def article(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Article]:
    with article_lab(tmp_path_factory.mktemp("article")) as article:
        yield article


def test_flows_are_compared_with_those_of_the_lab(article: Article, tmp_path: Path) -> None:
    """`dvr lab flows DIR --prove`, in the lab of this test."""
    edited(tmp_path, ACROSS)
    found = [*differences(*proving.states(tmp_path, article.folder))]
    assert {each.kind for each in found} == {Effect.CUT}
    assert "cirros → blue-68" in {str(each.attempt) for each in found}
    assert not [*differences(*proving.states(flows_dir(), article.folder))]
    assert lifecycle.pipelines_of(article.folder) == flows_dir()


class Pings:
    """Real packets of attempts."""

    def __init__(self, article: Article, topology: Topology) -> None:
        self.article = article
        self.topology = topology

    def forget(self) -> None:
        """Empty the caches of switches and kernels."""
        for name in self.topology.hosts:
            self.article.lab[name].run(["sh", "-c", FORGET], check=False)

    def answered(self, attempt: Attempt, seconds: int) -> bool:
        """Whether an answer comes."""
        return self._run(attempt, ["-c", "1", "-w", str(seconds)]).returncode == 0

    def twice(self, attempt: Attempt) -> bool:
        """Whether two answers come to one packet, or a router answers a gateway's ARP twice."""
        result = self._run(attempt, ["-c", "3", "-i", "0.3", "-W", "1"])
        return "DUP!" in result.stdout or "2 response" in result.stdout

    def leaks(self, attempt: Attempt) -> bool:
        """Whether a gateway's ARP crosses the underlay."""
        with watched_underlay(self.article.lab, self.topology) as crossed:
            self._run(attempt, ["-c", "1", "-w", "2"])
        return bool(crossed)

    def _run(self, attempt: Attempt, options: list[str]) -> subprocess.CompletedProcess[str]:
        sender, receiver = ends(self.topology, attempt.source, attempt.target)
        command = ["ping", "-n", *options]
        if attempt.kind is Kind.ARP:
            count = options[options.index("-c") + 1]
            command = ["arping", "-c", count, "-w", options[-1], "-I", "eth0"]
        elif attempt.size is not None:
            command += ["-M", "do", "-s", str(attempt.size - ICMP_OVERHEAD)]
        host = self.article.lab[sender.host]
        return host.run(
            [*command, receiver.address], namespace=sender.namespace or None, check=False
        )


@pytest.mark.timeout(120 + 30 * MUTATIONS)
def test_mistakes_that_break_packets_are_found_and_no_others(
    article: Article, tmp_path: Path
) -> None:
    print(f"DVR_SEED={SEED}")
    topology = load_topology(article.file)
    pings = Pings(article, topology)
    wrong: list[str] = []
    try:
        for mutation in islice(mutations(topology, tmp_path, SEED), MUTATIONS):
            lifecycle.change_pipelines(mutation.folder, article.folder)
            verdict = judged(pings, topology, mutation)
            print(f"{verdict or 'right'}: {mutation.what}")
            if verdict:
                wrong.append(f"{verdict}: {mutation.what}")
    finally:
        lifecycle.change_pipelines(flows_dir(), article.folder)
    assert wrong == []


def judged(pings: Pings, topology: Topology, mutation: Mutation) -> str:
    """What `prove` misses or cries over; empty if nothing."""
    proof = Proof(mutation.pipelines, datapath_type())
    report = proof.prove(topology)
    judge = Judge(topology, mutation.pipelines, datapath_type())
    attempts = [each for each in proof.attempts(topology) if is_ping(each)]
    if not report.findings:
        broken = [*really_broken(pings, judge, attempts)]
        return f"misses {', '.join(map(str, broken))}" if broken else ""
    if any(holds(pings, each) for each in chosen(report.findings)):
        return ""
    return f"cries over {', '.join(f'{each.kind.name} {each}' for each in chosen(report.findings))}"


def is_ping(attempt: Attempt) -> bool:
    return attempt.kind is not Kind.DHCP and attempt.service is None


def chosen(findings: Iterable[Finding]) -> list[Finding]:
    """Some findings to try: of each kind of fault."""
    by_fault: dict[Fault, list[Finding]] = {}
    for each in findings:
        by_fault.setdefault(each.kind, []).append(each)
    return [each for some in by_fault.values() for each in some[:TRIED]]


def holds(pings: Pings, finding: Finding) -> bool:
    """Whether a finding is so in the lab."""
    attempt = finding.attempt
    pings.forget()
    match finding.kind:
        case Fault.TWICE | Fault.ARP_TWICE:
            return pings.twice(attempt)
        case Fault.ARP_LEAK:
            return pings.leaks(attempt)
        case Fault.OPEN:
            return pings.answered(attempt, 3)
        case Fault.LOOP:
            return not pings.answered(attempt, 2) or pings.twice(attempt)
    return attempt.kind is Kind.DHCP or not pings.answered(attempt, 2)


def really_broken(pings: Pings, judge: Judge, attempts: list[Attempt]) -> Iterator[Attempt]:
    """The attempts that go otherwise than the topology says: those that fail in a crowd are tried
    once more alone."""

    def expected(attempt: Attempt) -> bool:
        found = judge.expected(attempt)
        return found is None or found.answered

    pings.forget()
    hopeful = [each for each in attempts if expected(each)]
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda each: pings.answered(each, 3), hopeful)
        failed = [each for each, answer in zip(hopeful, answers, strict=True) if not answer]
    for attempt in failed:
        if judge.expected(attempt) is not None:
            pings.forget()
            if not pings.answered(attempt, 8):
                yield attempt
