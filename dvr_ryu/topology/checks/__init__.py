"""What is wrong between the objects of a declaration, one file for each kind of thing. Pure."""

from __future__ import annotations

from dvr_ryu.errors import FileError
from dvr_ryu.topology.checks import (
    addresses,
    dhcp,
    floating,
    forwarding,
    numbers,
    pairs,
    references,
    roles,
    routes,
    underlay,
)
from dvr_ryu.topology.checks.findings import Findings
from dvr_ryu.topology.declaration import TopologyWords
from dvr_ryu.topology.ports import WantedPort
from dvr_ryu.topology.yaml_nodes import Document


def check(words: TopologyWords, ports: list[WantedPort], document: Document) -> None:
    """Raise FileError with every problem between the objects of the file, in its order.

    `ports` are the declaration's `wanted_ports`. A check says nothing about what refers to an
    unknown name: `references` does.
    """
    findings = Findings(document)
    references.check(words, findings)
    roles.check(words, findings)
    underlay.check(words, findings)
    addresses.check(words, ports, findings)
    dhcp.check(words, findings)
    floating.check(words, findings)
    forwarding.check(words, findings)
    numbers.check(words, ports, findings)
    routes.check(words, findings)
    pairs.check(words, ports, findings)
    if findings.problems:
        raise FileError(findings.problems)
