"""Floating addresses: each has one external network, and a router on the way to its instances."""

from __future__ import annotations

from ipaddress import IPv4Address

from dvr_ryu.topology.checks.findings import Claim, Findings, Unique
from dvr_ryu.topology.declaration import FloatingIpWords, TopologyWords
from dvr_ryu.topology.wording import listed, suggestion
from dvr_ryu.topology.yaml_nodes import Path


def check(words: TopologyWords, findings: Findings) -> None:
    """Every floating address that leads nowhere, and every fixed address that has two."""
    bound = Unique(
        findings, "'{value}' already has the floating address {other} (line {line}); remove one"
    )
    for ip, floating in words.floating_ips.items():
        path = ("floating_ips", str(ip))
        _check_binding(path, floating, findings)
        _check_network(path, floating, words, findings)
        if floating.instance in words.instances:
            _check_fixed_ip(path, floating.instance, floating.fixed_ip, words, findings)
            fixed_ip = words.fixed_ip_of(floating.instance, floating.fixed_ip)
            claim = Claim(str(ip), (*path, "instance"))
            bound.claim((floating.instance, fixed_ip), claim, floating.instance)


def _check_binding(path: Path, floating: FloatingIpWords, findings: Findings) -> None:
    """What only makes sense with an instance, or only without."""
    unbound = "the address is bound to no instance, which this is for; name one, or remove this"
    if floating.instance is None:
        if floating.rule_priority:
            findings.at_key((*path, "rule_priority"), unbound)
        if floating.fixed_ip:
            findings.at_key((*path, "fixed_ip"), unbound)
        if floating.central and floating.port_forwardings:
            message = "forwarded ports are central already; remove this"
            findings.at_key((*path, "central"), message)
        elif floating.central:
            findings.at_key((*path, "central"), unbound)
    elif floating.port_forwardings:
        message = f"all ports lead to '{floating.instance}' already; remove this, or the instance"
        findings.at_key((*path, "port_forwardings"), message)
    elif floating.central and floating.rule_priority:
        message = "a central address has no rule; remove this, or central"
        findings.at_key((*path, "rule_priority"), message)


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
    elif name in words.networks:
        if floating.instance in words.instances:
            _check_way((*path, "instance"), floating.instance, name, words, findings)
        for index, each in enumerate(floating.port_forwardings):
            place = (*path, "port_forwardings", index)
            if each.instance in words.instances:
                _check_way((*place, "instance"), each.instance, name, words, findings)
                _check_fixed_ip(place, each.instance, each.fixed_ip, words, findings)


def _check_way(
    path: Path, instance: str, external: str, words: TopologyWords, findings: Findings
) -> None:
    network = words.instances[instance].first_card.network
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
        findings.at_value(path, f"{message}; take an address from there")
    else:
        message = f"no router leads from its network '{network}' to '{external}'"
        findings.at_value(path, f"{message}; let one join both")


def _check_fixed_ip(
    path: Path,
    instance: str,
    fixed_ip: IPv4Address | None,
    words: TopologyWords,
    findings: Findings,
) -> None:
    pinned = [ip for _, ip in words.instances[instance].first_card.pinned_ips]
    if fixed_ip is not None and fixed_ip not in pinned:
        has = f"it has {listed(pinned)}" if pinned else "pin the address that it should have there"
        findings.at_value((*path, "fixed_ip"), f"'{instance}' does not have {fixed_ip}; {has}")
