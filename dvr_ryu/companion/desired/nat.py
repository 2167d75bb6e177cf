"""The NAT of floating addresses, in any namespace: chains, and the connections that they translate.
Pure; the chains are Neutron's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.netfilter.translation import Translation
from dvr_ryu.topology import model

PREROUTING, OUTPUT = "neutron-l3-agent-PREROUTING", "neutron-l3-agent-OUTPUT"


def dnat(namespace: str, floating_ips: Sequence[model.FloatingIp]) -> Iterator[Chain]:
    """Yield the chains for packets to floating addresses, from elsewhere and from here."""
    rules = tuple(rule for each in floating_ips for rule in _dnat_rules(each))
    yield Chain(namespace, "nat", PREROUTING, rules)
    yield Chain(namespace, "nat", OUTPUT, rules)


def _dnat_rules(floating: model.FloatingIp) -> Iterator[str]:
    if floating.fixed_ip is not None:
        yield f"-d {floating.ip}/32 -j DNAT --to-destination {floating.fixed_ip}"
    for each in floating.forwardings:
        outer, inner = each.external_ports, each.internal_ports
        which = f"-p {each.protocol} -m {each.protocol} --dport {str(outer).replace('-', ':')}"
        # Each port of a range retains its distance to the first.
        shift = f"/{outer.first}" if outer.count > 1 else ""
        target = f"{each.fixed_ip}:{inner}{shift}"
        yield f"-d {floating.ip}/32 {which} -j DNAT --to-destination {target}"


def float_snat(namespace: str, floating_ips: Sequence[model.FloatingIp]) -> Chain:
    """The chain that gives senders their own floating addresses."""
    rules = tuple(
        f"-s {each.fixed_ip}/32 -j SNAT --to-source {each.ip}"
        for each in floating_ips
        if each.fixed_ip is not None
    )
    return Chain(namespace, "nat", "neutron-l3-agent-float-snat", rules)


def hairpin(router: model.Router, outer: Iterable[str] = ()) -> tuple[str, ...]:
    """Rules for senders on the router's own networks, or with one of these outer addresses, that
    connect to a floating address: they get the router's address, because the answer must return the
    same way.
    """
    if router.gateway_port is None:
        return ()
    sources = (*inner_ranges(router), *(f"{ip}/32" for ip in outer))
    return tuple(
        f"-s {source} -m conntrack --ctstate DNAT -j SNAT --to-source {router.gateway_port.ip}"
        for source in sources
    )


def as_own(central: Sequence[model.FloatingIp]) -> tuple[str, ...]:
    """Rules for senders with a central floating address that connect to an address translated here:
    they get their own one, as they would from afar.
    """
    return tuple(
        f"-s {each.fixed_ip}/32 -m conntrack --ctstate DNAT -j SNAT --to-source {each.ip}"
        for each in central
    )


def inner_ranges(router: model.Router) -> Iterator[str]:
    """Yield the prefixes of a router's senders: its subnets, and those behind next hops there."""
    for interface in router.interfaces:
        yield str(interface.cidr)
    for route in router.inner_routes:
        if route.destination.prefixlen:
            yield str(route.destination)


def nothing_untranslated(namespace: str, router: model.Router, device: str) -> Chain:
    """The chain that confines inner addresses: NAT does not translate a packet of no connection."""
    rules = (
        f"-s {inner} -o {device} -m conntrack --ctstate INVALID -j DROP"
        for inner in inner_ranges(router)
    )
    return Chain(namespace, "mangle", "POSTROUTING", tuple(rules))


def nat_hooks(namespace: str) -> Iterator[Chain]:
    """Yield the jumps from the kernel's nat chains into neutron-l3-agent-*, as Neutron has them."""
    yield Chain(namespace, "nat", "PREROUTING", (f"-j {PREROUTING}",))
    yield Chain(namespace, "nat", "OUTPUT", (f"-j {OUTPUT}",))
    bottom = ("-j neutron-l3-agent-POSTROUTING", "-j neutron-postrouting-bottom")
    yield Chain(namespace, "nat", "POSTROUTING", bottom)
    yield Chain(namespace, "nat", "neutron-postrouting-bottom", ("-j neutron-l3-agent-snat",))


def translations(namespace: str, floating_ips: Sequence[model.FloatingIp]) -> Iterator[Translation]:
    """Yield the translations of connections in a namespace."""
    for floating in floating_ips:
        if floating.fixed_ip is not None:
            yield Translation(namespace, floating.ip, floating.fixed_ip)
        for each in floating.forwardings:
            yield Translation(
                namespace,
                floating.ip,
                each.fixed_ip,
                each.protocol,
                str(each.external_ports),
                str(each.internal_ports),
            )
