"""What is wrong between the objects of a declaration, one file for each kind of thing. Pure."""

from __future__ import annotations

from collections.abc import Collection

from dvr_ryu.errors import Problem
from dvr_ryu.topology.allocation.ports import WantedPort
from dvr_ryu.topology.checks import (
    addresses,
    dhcp,
    floating,
    forwarding,
    numbers,
    pairs,
    references,
    removal,
    roles,
    routes,
    underlay,
)
from dvr_ryu.topology.checks.findings import Findings
from dvr_ryu.topology.spec.declaration import TopologyWords
from dvr_ryu.topology.spec.yaml_nodes import Document


def check(
    words: TopologyWords,
    ports: list[WantedPort],
    document: Document,
    unread: Collection[str] = (),
    in_force: Collection[str] = (),
) -> list[Problem]:
    """Return every problem between the objects of the file.

    `ports` are the declaration's `wanted_ports`. A check says nothing about what refers to an
    unknown name: `references` does. Of the sections in `unread` some objects are not in `words`:
    what only seems wrong without these is not said. `in_force` are the hosts of the file that this
    one replaces.
    """
    findings = Findings(document)

    def whole(*sections: str) -> bool:
        return not any(section in unread for section in sections)

    references.check(words, findings)
    dhcp.check(words, findings)
    numbers.check(words, ports, findings)
    pairs.check(words, ports, findings)
    if whole("hosts"):
        roles.check(words, findings)
        removal.check(words, in_force, findings)
    if whole("hosts", "underlay", "controller"):
        underlay.check(words, findings)
    if whole("networks"):
        addresses.check(words, ports, findings)
    if whole("networks", "routers", "instances"):
        floating.check(words, findings)
        forwarding.check(words, findings)
        routes.check(words, findings)
    return findings.problems
