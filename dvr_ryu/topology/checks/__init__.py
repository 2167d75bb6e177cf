"""Find the conflicts between the objects of a declaration, one file for each subject. Pure."""

from __future__ import annotations

from collections.abc import Collection

from dvr_ryu.errors import Problem
from dvr_ryu.topology.allocation.ports import WantedPort
from dvr_ryu.topology.checks import (
    addresses,
    dhcp,
    expect,
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
from dvr_ryu.topology.spec.declaration import TopologySpec
from dvr_ryu.topology.spec.yaml_nodes import Document


def check(
    spec: TopologySpec,
    ports: list[WantedPort],
    document: Document,
    unread: Collection[str] = (),
    in_force: Collection[str] = (),
) -> list[Problem]:
    """Return every problem between the objects of the file.

    `ports` are the declaration's `wanted_ports`. A check reports no reference to an unknown name:
    `references` does. Of the sections in `unread` some objects are not in `spec`: a problem that
    these may solve is not reported. `in_force` are the hosts of the file that this one replaces.
    """
    findings = Findings(document)

    def whole(*sections: str) -> bool:
        return not any(section in unread for section in sections)

    references.check(spec, findings)
    dhcp.check(spec, findings)
    numbers.check(spec, ports, findings)
    pairs.check(spec, ports, findings)
    if whole("hosts"):
        roles.check(spec, findings)
        removal.check(spec, in_force, findings)
    if whole("hosts", "underlay", "controller"):
        underlay.check(spec, findings)
    if whole("networks"):
        addresses.check(spec, ports, findings)
    if whole("networks", "routers", "instances"):
        floating.check(spec, findings)
        forwarding.check(spec, findings)
        routes.check(spec, findings)
        expect.check(spec, findings)
    return findings.problems
