"""Floating addresses: each has one external network, and a router on the way to its instance."""

from __future__ import annotations

from dvr_ryu.topology.checks.findings import Claim, Findings, Unique
from dvr_ryu.topology.declaration import FloatingIpWords, TopologyWords
from dvr_ryu.topology.wording import listed, suggestion
from dvr_ryu.topology.yaml_nodes import Path


def check(words: TopologyWords, findings: Findings) -> None:
    """Every floating address that leads nowhere, and every instance that has two."""
    bound = Unique(
        findings, "'{value}' already has the floating address {other} (line {line}); remove one"
    )
    for ip, floating in words.floating_ips.items():
        path = ("floating_ips", str(ip))
        if floating.instance:
            bound.claim(floating.instance, Claim(str(ip), (*path, "instance")))
        elif floating.rule_priority:
            message = "no instance, which the rule is for; bind one, or remove this"
            findings.at_key((*path, "rule_priority"), message)
        _check_network(path, floating, words, findings)


def _check_network(
    path: Path, floating: FloatingIpWords, words: TopologyWords, findings: Findings
) -> None:
    external = words.external_networks
    name = words.network_of(floating)
    if name is None:
        message = "no network is external; set external: true on the one that has this address"
        if external:
            message = f"which external network has this address? Add network: {listed(external)}"
        findings.at_key(path, message)
    elif name in words.networks and name not in external:
        message = f"'{name}' is not external; {suggestion(name, external)}"
        findings.at_value((*path, "network"), message)
    elif name in words.networks and floating.instance in words.instances:
        _check_way(path, floating.instance, name, words, findings)


def _check_way(
    path: Path, instance: str, external: str, words: TopologyWords, findings: Findings
) -> None:
    network = words.instances[instance].network
    if network not in words.networks:
        return
    leads_to = {
        router.external_network
        for router in words.routers.values()
        if any(each.network == network for each in router.interfaces)
    }
    if external in leads_to:
        return
    others = sorted(name for name in leads_to if name)
    if others:
        message = f"routers lead from its network '{network}' to {listed(others)}, not '{external}'"
        findings.at_value((*path, "instance"), f"{message}; take an address from there")
    else:
        message = f"no router leads from its network '{network}' to '{external}'"
        findings.at_value((*path, "instance"), f"{message}; let one join both")
