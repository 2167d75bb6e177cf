"""Forwarded ports: each leads to one place, and its answers come back the same way."""

from __future__ import annotations

from ipaddress import IPv4Address

from dvr_ryu.topology.checks.findings import Claim, Findings
from dvr_ryu.topology.declaration import ForwardingWords, TopologyWords
from dvr_ryu.topology.model import Ports
from dvr_ryu.topology.yaml_nodes import Path


def check(words: TopologyWords, findings: Findings) -> None:
    """Every forwarding that another contradicts, or that cannot work."""
    own = _addresses_of_their_own(words)
    for ip, floating in words.floating_ips.items():
        path: Path = ("floating_ips", str(ip), "port_forwardings")
        _check_overlaps(path, floating.port_forwardings, findings)
        known = []
        for index, each in enumerate(floating.port_forwardings):
            _check_ports((*path, index), each, findings)
            if each.instance in words.instances:
                known.append(each.instance)
                fixed_ip = words.fixed_ip_of(each.instance, each.fixed_ip)
                if answers_as := own.get((each.instance, fixed_ip)):
                    message = f"'{each.instance}' would answer as {answers_as}, which is its own"
                    place = (*path, index, "instance")
                    findings.at_value(place, f"{message}; set central: true on {answers_as}")
        external = words.network_of(floating)
        if external and len(known) > 1 and not words.routers_to(external, known):
            message = f"no one router leads to all of these instances from '{external}'"
            findings.at_key(path, f"{message}; take an address for each router")


def _addresses_of_their_own(
    words: TopologyWords,
) -> dict[tuple[str | None, IPv4Address | None], IPv4Address]:
    """Instance and fixed address → its distributed floating address, by which it answers."""
    return {
        (floating.instance, words.fixed_ip_of(floating.instance, floating.fixed_ip)): ip
        for ip, floating in words.floating_ips.items()
        if floating.instance in words.instances and floating.distributed
    }


def _check_overlaps(path: Path, forwardings: list[ForwardingWords], findings: Findings) -> None:
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
                key=findings.place,
            )
            line = findings.place(one).line
            shared = f"{protocol} {Ports(first, min(last, end))}"
            findings.at(two, f"{shared} is already forwarded (line {line}); take another")
        farthest[protocol] = max((end, other), (last, index))


def _check_ports(path: Path, forwarding: ForwardingWords, findings: Findings) -> None:
    outer, inner = forwarding.external_port, forwarding.internal_ports
    if inner.count != outer.count:
        message = f"{inner} are {inner.count} ports, and {outer} are {outer.count}"
        findings.at_value((*path, "internal_port"), f"{message}; name as many, or only the first")
    elif inner.last > 65535:
        message = f"the last of {outer.count} ports from {inner.first} on would be {inner.last}"
        findings.at_value((*path, "internal_port"), f"{message}; begin lower")
