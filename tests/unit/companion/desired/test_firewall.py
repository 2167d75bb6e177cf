"""The packets from external networks that a gateway host drops, as chains of iptables."""

from __future__ import annotations

import pytest

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.netfilter.hooked_chain import HookedChain
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.view import HostView

TOPOLOGY = """\
controller: tcp:10.0.0.9:6653
underlay: {cidr: 10.0.0.0/24, mtu: 1550}
hosts: {one: {address: 10.0.0.1, snat: true}, two: {address: 10.0.0.2}}
networks:
  x: {external: true, gateway_host: one, subnets: [{cidr: 2.2.2.0/24}]}
  y: {external: true, gateway_host: one, subnets: [{cidr: 3.3.3.0/24}]}
routers: {}
instances: {}
"""
SYN = "--tcp-flags FIN,SYN,RST,ACK SYN -j DROP"


def chains(text: str, host: str = "one") -> dict[str, list[str]]:
    """The kernel's chain → our rules that it jumps to; gw- devices by their networks' names."""
    topology = parse_topology(text, "test.yaml")
    names = {port.device: port.name for port in topology.service_ports}
    found = desired_resources(HostView(topology, host), "system")
    return {
        resource.hook: [_named(rule, names) for rule in resource.rules]
        for resource in found
        if isinstance(resource, HookedChain)
    }


def _named(rule: str, names: dict[str, str]) -> str:
    for device, name in names.items():
        rule = rule.replace(device, name)
    return rule


def test_each_gateway_drops_for_the_host_itself_and_for_the_underlay() -> None:
    vxlan, new = "-p udp -m udp --dport 4789 -j DROP", f"-p tcp -m tcp --dport 6653 {SYN}"
    own = [f"-i {name} {packets}" for name in "xy" for packets in (vxlan, new)]
    assert chains(TOPOLOGY) == {
        "INPUT": own,
        "FORWARD": [f"-d 10.0.0.0/24 {rule}" for rule in own],
    }
    assert chains(TOPOLOGY, "two") == {}


@pytest.mark.parametrize(
    ("type", "packets"),
    [("geneve", "-p udp -m udp --dport 6081 -j DROP"), ("gre", "-p 47 -j DROP")],
)
def test_it_drops_what_the_tunnels_take(type: str, packets: str) -> None:
    text = TOPOLOGY.replace("mtu: 1550", f"mtu: 1550, tunnel_type: {type}")
    assert f"-i x {packets}" in chains(text)["INPUT"]
    assert not [rule for rule in chains(text)["INPUT"] if "4789" in rule]


def test_a_controller_beyond_the_underlay_is_kept_from_guests_too() -> None:
    text = TOPOLOGY.replace("10.0.0.9:6653", "172.16.0.9:6633")
    rules = [rule for rule in chains(text)["FORWARD"] if "6633" in rule and "-i x" in rule]
    new = f"-i x -p tcp -m tcp --dport 6633 {SYN}"
    assert rules == [f"-d 10.0.0.0/24 {new}", f"-d 172.16.0.9/32 {new}"]


def test_a_network_that_has_access_is_let_through() -> None:
    text = TOPOLOGY.replace("gateway_host: one,", "gateway_host: one, underlay_access: true,")
    assert chains(text) == {}
    assert not [
        rule
        for rule in chains(text.replace("underlay_access: true, ", "", 1))["INPUT"]
        if "-i y" in rule
    ]
