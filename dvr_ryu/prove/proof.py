"""Proves a topology: tries a packet of each class of pairs by the interpreter, and judges. Pure.

What was right once stays right for every pair of the same class: a `Proof` remembers these classes,
so the proof of an edited topology tries only what the edit makes new.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import field, frozen

from dvr_ryu.companion.resources.openvswitch.datapath import SYSTEM
from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.prove.attempt import Attempt, Kind
from dvr_ryu.prove.dhcp import lease
from dvr_ryu.prove.expectations import Expectations, Expected
from dvr_ryu.prove.findings import Finding, findings, too_long
from dvr_ryu.prove.literals import literals
from dvr_ryu.prove.pairs import Pairs
from dvr_ryu.prove.roles import Numbering, Roles
from dvr_ryu.topology.expectation import Expectation
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.endpoints import UnknownEndpoint
from dvr_ryu.trace.hops import ARP, ICMP, Probe, Trace
from dvr_ryu.trace.network import Network


@frozen
class Report:
    """The findings about a topology. `tried` is the number of attempts that were traced: the other
    classes were right in an earlier proof.
    """

    findings: tuple[Finding, ...]
    classes: int
    tried: int
    instances: int
    wrong_lines: tuple[tuple[int, Finding], ...] = ()
    """Lines of `expect:` that do not hold, by their index, with the finding."""

    @property
    def holds(self) -> bool:
        """Whether all is as it should be."""
        return not self.findings and not self.wrong_lines


@frozen
class Proof:
    """Proofs of topologies under the same pipelines, each an edit of the one before."""

    pipelines: Pipelines
    datapath_type: str = SYSTEM.type
    _numbering: Numbering = field(factory=Numbering, init=False, eq=False)
    _right: set[int] = field(factory=set, init=False, eq=False)

    def prove(self, topology: Topology) -> Report:
        """Judge a topology."""
        every = self.attempts(topology)
        new = [each for each in every if each.key not in self._right]
        judge = Judge(topology, self.pipelines, self.datapath_type)
        found: list[Finding] = []
        for attempt in new:
            wrong = [*judge.findings(attempt)]
            found += wrong
            if not wrong:
                self._right.add(attempt.key)
        return Report(
            tuple(found),
            len(every),
            len(new),
            len(topology.instances),
            tuple(judge.wrong_lines()),
        )

    def attempts(self, topology: Topology) -> list[Attempt]:
        """An attempt for each class of pairs of a topology."""
        roles = Roles(topology, literals(self.pipelines.by_bridge.values()), self._numbering)
        return Pairs(topology, roles, self._numbering).attempts()


class Judge:
    """Tries attempts in one topology, and compares with its expectations."""

    def __init__(
        self, topology: Topology, pipelines: Pipelines, datapath_type: str = SYSTEM.type
    ) -> None:
        self._topology = topology
        self._network = Network(topology, pipelines, datapath_type)
        self._expectations = Expectations(topology)

    def trace(self, attempt: Attempt) -> Trace:
        """The way of an attempt's packet, with that of its answer. Raises UnknownEndpoint."""
        if attempt.kind is Kind.DHCP:
            client = self._topology.instances.get(attempt.source)
            if client is None:
                raise UnknownEndpoint(f"there is no instance {attempt.source}")
            return lease(self._network, client)
        return self._network.trace(attempt.source, attempt.target, _probe(attempt), reply=True)

    def findings(self, attempt: Attempt) -> Iterator[Finding]:
        """All that is wrong with an attempt. If a large packet is lost, a small one tells whether
        its size is the cause.
        """
        expected, trace = self.expected(attempt), self.trace(attempt)
        if attempt.size is not None and not trace.answered:
            small = self.trace(attempt.small)
            if small.answered:
                yield too_long(attempt, trace)
                return
            attempt, trace = attempt.small, small
        yield from findings(self._topology, attempt, expected, trace)

    def expected(self, attempt: Attempt) -> Expected | None:
        """What should become of an attempt's packet, if the topology tells."""
        if attempt.kind is not Kind.PACKET:
            return Expected(True)  # a gateway answers ARP, a DHCP server its clients
        return self._expectations.of(attempt.source, attempt.target, attempt.service)

    def wrong_lines(self) -> Iterator[tuple[int, Finding]]:
        """Each line of `expect:` that does not hold, with its first finding."""
        for index, line in enumerate(self._topology.expected):
            attempt = Attempt(-1, line.source, line.target, line.service)
            trace = self.trace(attempt)
            for finding in findings(self._topology, attempt, _stated(line), trace):
                yield index, finding
                break


def _stated(line: Expectation) -> Expected:
    return Expected(line.reach, None, line.seen_as, reason="the file says that it should not")


def _probe(attempt: Attempt) -> Probe:
    if attempt.kind is Kind.ARP:
        return Probe(ARP)
    if attempt.service is not None:
        return Probe(attempt.service.protocol, attempt.service.port)
    return Probe(ICMP, size=attempt.size)
