"""Check floating addresses: each has one external network, and a router to its instances."""

from __future__ import annotations

from dvr_ryu.topology.allocation.floating_bindings import Binding, Bindings, Spot
from dvr_ryu.topology.checks.findings import Claim, Findings, Unique
from dvr_ryu.topology.spec.declaration import FloatingIpSpec, TopologySpec
from dvr_ryu.topology.spec.yaml_nodes import Path
from dvr_ryu.topology.wording import listed, suggestion


def check(spec: TopologySpec, findings: Findings) -> None:
    """Every floating address that leads nowhere, and every fixed address that has two."""
    bound = Unique(
        findings, "'{value}' already has the floating address {other} (line {line}); remove one"
    )
    known = Bindings(spec)
    for ip, floating in spec.floating_ips.items():
        path = ("floating_ips", str(ip))
        _check_binding(path, floating, findings)
        _check_network(path, floating, known, spec, findings)
        spot = known.spot(floating)
        if spot is not None:
            claim = Claim(str(ip), (*path, "instance"))
            bound.claim(spot if spot.ip else floating.instance, claim, floating.instance)
            if floating.distributed and spot in known.virtual:
                message = f"several instances may have {spot.ip}, so it is on no host for sure"
                key_path = (*path, "fixed_ip" if floating.fixed_ip else "instance")
                findings.at_value(key_path, f"{message}; add central: true")


def _check_binding(path: Path, floating: FloatingIpSpec, findings: Findings) -> None:
    """Check the keys that require an instance, and those that exclude one."""
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
    path: Path,
    floating: FloatingIpSpec,
    known: Bindings,
    spec: TopologySpec,
    findings: Findings,
) -> None:
    external = spec.external_networks
    name = spec.network_of(floating)
    if name is None:
        message = "no network is external; set external: true on the one that has this address"
        if external:
            message = f"which external network has this address? Add network: {listed(external)}"
        findings.at_key(path, message)
    elif name in spec.networks and name not in external:
        message = f"'{name}' is not external; {suggestion(name, external)}"
        findings.at_value((*path, "network"), message)
    elif name in spec.networks:
        _check_path(path, floating, name, known, spec, findings)
        for index, each in enumerate(floating.port_forwardings):
            _check_path((*path, "port_forwardings", index), each, name, known, spec, findings)


def _check_path(
    path: Path,
    binding: Binding,
    external: str,
    known: Bindings,
    spec: TopologySpec,
    findings: Findings,
) -> None:
    """Check that a router leads to the instance, and that the instance has the address."""
    if binding.instance not in spec.instances:
        return
    spot = known.spot(binding)
    if spot is None:
        pinned = [
            ip for _, card in spec.instances[binding.instance].cards for _, ip in card.pinned_ips
        ]
        has = f"it has {listed(pinned)}" if pinned else "pin the address that it should have there"
        message = f"'{binding.instance}' does not have {binding.fixed_ip}; {has}"
        findings.at_value((*path, "fixed_ip"), message)
    elif spot.network in spec.networks and not known.routers_to(external, [spot]):
        _report_no_path((*path, "instance"), spot, external, known, spec, findings)


def _report_no_path(
    path: Path,
    spot: Spot,
    external: str,
    known: Bindings,
    spec: TopologySpec,
    findings: Findings,
) -> None:
    subnet = spec.networks[spot.network].subnet_of(spot.ip) if spot.ip else None
    several = len(spec.networks[spot.network].subnets) > 1
    where = f"'{spot.network}'" + (f", {subnet.cidr}," if subnet and several else "")
    routers = [spec.routers[name] for name in known.routers_joining[spot.network]]
    others = sorted({each.external_network for each in routers if each.external_network})
    if others and external not in others:
        message = f"routers lead from its network {where} to {listed(others)}, not '{external}'"
        findings.at_value(path, f"{message}; take an address from there")
    else:
        message = f"no router leads from its network {where} to '{external}'"
        findings.at_value(path, f"{message}; let one join both")
