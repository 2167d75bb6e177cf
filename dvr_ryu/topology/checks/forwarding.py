"""Check forwarded ports: each leads to one port, and its replies return the same way."""

from __future__ import annotations

from collections.abc import Sequence

from dvr_ryu.topology.allocation.floating_bindings import Bindings
from dvr_ryu.topology.checks.findings import Claim, Findings
from dvr_ryu.topology.model import Ports
from dvr_ryu.topology.spec.declaration import ForwardingSpec, TopologySpec
from dvr_ryu.topology.spec.yaml_nodes import Path


def check(spec: TopologySpec, findings: Findings) -> None:
    """Every forwarding that another contradicts, or that cannot work."""
    known = Bindings(spec)
    # An instance with a distributed address replies by it, whichever router forwarded the request.
    own = {
        (floating.instance, known.spot(floating)): ip
        for ip, floating in spec.floating_ips.items()
        if floating.distributed
    }
    for ip, floating in spec.floating_ips.items():
        path: Path = ("floating_ips", str(ip), "port_forwardings")
        _check_overlaps(path, floating.port_forwardings, findings)
        for index, each in enumerate(floating.port_forwardings):
            _check_ports((*path, index), each, findings)
            spot = known.spot(each)
            if spot and (answers_as := own.get((each.instance, spot))):
                message = f"'{each.instance}' would answer as {answers_as}, which is its own"
                key_path = (*path, index, "instance")
                findings.at_value(key_path, f"{message}; set central: true on {answers_as}")
        external = spec.network_of(floating)
        spots = [spot for spot in map(known.spot, floating.port_forwardings) if spot]
        if external and len(spots) > 1 and not known.routers_to(external, spots):
            message = f"no one router leads to all of these instances from '{external}'"
            findings.at_key(path, f"{message}; take an address for each router")


def _check_overlaps(path: Path, forwardings: Sequence[ForwardingSpec], findings: Findings) -> None:
    claims = sorted(
        ((each.protocol, each.external_port.first, each.external_port.last), index)
        for index, each in enumerate(forwardings)
    )
    farthest: dict[str, tuple[int, int]] = {}
    for (protocol, first, last), index in claims:
        end, other = farthest.get(protocol, (0, index))
        if first <= end:
            one, two = sorted(
                (Claim("", (*path, each, "external_port")) for each in (index, other)),
                key=findings.location,
            )
            line = findings.location(one).line
            shared = f"{protocol} {Ports(first, min(last, end))}"
            findings.at(two, f"{shared} is already forwarded (line {line}); take another")
        farthest[protocol] = max((end, other), (last, index))


def _check_ports(path: Path, forwarding: ForwardingSpec, findings: Findings) -> None:
    outer, inner = forwarding.external_port, forwarding.internal_ports
    if inner.count != outer.count:
        message = f"{inner} are {inner.count} ports, and {outer} are {outer.count}"
        findings.at_value((*path, "internal_port"), f"{message}; name as many, or only the first")
    elif inner.last > 65535:
        message = f"the last of {outer.count} ports from {inner.first} on would be {inner.last}"
        findings.at_value((*path, "internal_port"), f"{message}; begin lower")
