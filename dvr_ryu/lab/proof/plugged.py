"""Leaves out of a proof the instances that others have not plugged in, or that cannot be entered.
It reads the hosts, and changes nothing.

What others plug in can send only from a namespace with the instance's usual name; `dvr show port`
prints the commands for one.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import evolve

from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.plugging import actual_ports, as_led
from dvr_ryu.topology.expectation import Expectation
from dvr_ryu.topology.model import FloatingIp, instance_namespace
from dvr_ryu.topology.topology import Topology


def triable(topology: Topology, hosts: Mapping[str, LabHost]) -> tuple[Topology, list[str]]:
    """The topology of all that a proof can try, with roaming instances where they are; and the
    names of the instances that are left out.
    """
    topology = as_led(topology, hosts)
    lacking = {
        card.name: None
        for card in topology.plugged
        if card.device not in actual_ports(hosts[card.host], topology, {})
        or not hosts[card.host].path(f"/run/netns/{instance_namespace(card.name)}").exists()
    }
    return (without(topology, lacking), [*lacking]) if lacking else (topology, [])


def without(topology: Topology, names: Collection[str]) -> Topology:
    """The topology without some instances, and without all that leads to them."""
    gone = {fixed.ip for card in topology.cards if card.name in names for fixed in card.addresses}
    floating = {ip: _rest(each, names) for ip, each in topology.floating_ips.items()}
    gone |= {ip for ip, each in floating.items() if each != topology.floating_ips[ip]}
    return evolve(
        topology,
        instances={name: card for name, card in topology.instances.items() if name not in names},
        more_cards=tuple(card for card in topology.more_cards if card.name not in names),
        floating_ips=floating,
        expected=tuple(each for each in topology.expected if not _ends(each) & {*names, *gone}),
    )


def _rest(floating: FloatingIp, names: Collection[str]) -> FloatingIp:
    """A floating address, not bound to an instance that is left out."""
    if floating.instance in names:
        return evolve(floating, instance=None, fixed_ip=None, router=None)
    rest = tuple(each for each in floating.forwardings if each.instance not in names)
    if rest == floating.forwardings:
        return floating
    return evolve(floating, forwardings=rest, router=floating.router if rest else None)


def _ends(expectation: Expectation) -> set[str]:
    return {end.partition(":")[0] for end in (expectation.source, expectation.target)}
