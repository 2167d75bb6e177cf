"""The resources of all kinds of floating addresses: each one's host, and its NAT there."""

from __future__ import annotations

import pytest

from dvr_ryu.companion.change import change
from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.netfilter.translation import Translation
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import ProxyNeighbour
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.companion.resources.routing.rule import Rule
from dvr_ryu.companion.script import script
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

FILE = """
hosts:
  h1: {address: 10.0.0.1}
  h2: {address: 10.0.0.2, snat: true}
networks:
  n: {subnets: [{cidr: 10.1.0.0/24}]}
  x: {external: true, subnets: [{cidr: 2.2.2.0/24}]}
routers:
  r: {interfaces: [{network: n}], external_network: x, gateway_port: {ip: 2.2.2.7}}
instances:
  a: {host: h1, network: n, ip: 10.1.0.11}
  b: {host: h1, network: n, ip: 10.1.0.12}
  c: {host: h1, network: n, ip: 10.1.0.13}
  d: {host: h1, network: n, ip: 10.1.0.14}
floating_ips:
  2.2.2.101: {instance: a}
  2.2.2.102: {instance: b, central: true}
  2.2.2.103:
    port_forwardings:
      - {protocol: tcp, external_port: 80, instance: b, internal_port: 8080}
      - {protocol: udp, external_port: 5000-5009, instance: c, internal_port: 6000}
"""


@pytest.fixture(scope="module")
def topology() -> Topology:
    return parse_topology(FILE, "t.yaml")


@pytest.fixture(scope="module")
def router(topology: Topology) -> str:
    return topology.routers["r"].id


def of(topology: Topology, host: str) -> tuple[Resource, ...]:
    return desired_resources(HostView(topology, host), "netdev")


def rules(found: tuple[Resource, ...], namespace: str, name: str) -> tuple[str, ...]:
    (chain,) = (
        resource
        for resource in found
        if isinstance(resource, Chain) and (resource.namespace, resource.name) == (namespace, name)
    )
    return chain.rules


def test_a_central_address_is_on_the_snat_host_and_nowhere_else(topology, router):
    snat, gateway = f"snat-{router}", topology.routers["r"].gateway_port
    there, elsewhere = of(topology, "h2"), of(topology, "h1")
    addresses = {resource.address for resource in there if isinstance(resource, Address)}
    assert {"2.2.2.102/32", "2.2.2.103/32"} <= addresses
    assert rules(there, snat, "neutron-l3-agent-float-snat") == (
        "-s 10.1.0.12/32 -j SNAT --to-source 2.2.2.102",
    )
    assert rules(there, snat, "neutron-l3-agent-snat") == (
        "-j neutron-l3-agent-float-snat",
        f"-o {gateway.device} -j SNAT --to-source 2.2.2.7 --random-fully",
        "-s 10.1.0.0/24 -m conntrack --ctstate DNAT -j SNAT --to-source 2.2.2.7",
        "-s 2.2.2.101/32 -m conntrack --ctstate DNAT -j SNAT --to-source 2.2.2.7",
    )
    assert not [resource for resource in there if isinstance(resource, ProxyNeighbour)]
    assert not [f for f in there if isinstance(f, Namespace) and f.name.startswith("fip-")]
    for resource in elsewhere:
        texts = (str(getattr(resource, name, "")) for name in ("address", "destination", "ip"))
        assert not any(word.startswith(("2.2.2.102", "2.2.2.103")) for word in texts)
    assert {resource.ip for resource in elsewhere if isinstance(resource, ProxyNeighbour)} == {
        "2.2.2.101"
    }
    sources = {resource.source for resource in elsewhere if isinstance(resource, Rule)}
    assert "10.1.0.11" in sources and "10.1.0.12" not in sources


def test_who_has_a_central_address_is_seen_by_it_on_his_own_host(topology, router):
    """A host that translates a distributed address does this; elsewhere the SNAT host does."""
    assert rules(of(topology, "h1"), f"qrouter-{router}", "neutron-l3-agent-snat") == (
        "-j neutron-l3-agent-float-snat",
        "-s 10.1.0.12/32 -m conntrack --ctstate DNAT -j SNAT --to-source 2.2.2.102",
        "-s 10.1.0.0/24 -m conntrack --ctstate DNAT -j SNAT --to-source 2.2.2.7",
    )


def test_a_virtual_central_address_is_seen_on_every_host_that_translates():
    text = FILE.replace("ip: 10.1.0.12", "ip: 10.1.0.12, allowed_address_pairs: [{ip: 10.1.0.99}]")
    text = text.replace("b: {host: h1", "b: {host: h2")
    text = text.replace("{instance: b, central", "{instance: b, fixed_ip: 10.1.0.99, central")
    found = parse_topology(text, "t.yaml")
    snat = rules(of(found, "h1"), found.routers["r"].namespace, "neutron-l3-agent-snat")
    assert "-s 10.1.0.99/32 -m conntrack --ctstate DNAT -j SNAT --to-source 2.2.2.102" in snat


TWO_OUTER = """x: {external: true, subnets: [{cidr: 2.2.2.0/24}, {cidr: 2.2.3.0/24}]}"""


def test_an_outer_next_hop_is_known_where_packets_leave():
    """In the snat- namespace, and for the floating addresses in the fip- one; not before NAT."""
    routes = "routes: [{destination: 10.7.0.0/16, nexthop: 2.2.2.9}, {destination: 10.8.0.0/16, "
    text = FILE.replace("ip: 2.2.2.7}}", f"ip: 2.2.2.7}}, {routes}nexthop: 2.2.3.9}}]}}")
    text = text.replace("x: {external: true, subnets: [{cidr: 2.2.2.0/24}]}", TWO_OUTER)
    found = parse_topology(text, "t.yaml")
    ways = {
        (each.namespace.split("-")[0], each.destination): (each.via, each.device[:3])
        for host in ("h1", "h2")
        for each in of(found, host)
        if isinstance(each, Route) and each.destination.startswith(("10.7", "10.8", "2.2.3"))
    }
    assert ways == {
        (namespace, destination): (via, foot)
        for namespace, foot in (("snat", "qg-"), ("fip", "fg-"))
        for destination, via in (
            ("10.7.0.0/16", "2.2.2.9"),
            ("10.8.0.0/16", "2.2.3.9"),
            ("2.2.3.0/24", None),
        )
    }
    behind = [each for host in ("h1", "h2") for each in of(found, host)]
    assert "10.7.0.0/16" not in {each.source for each in behind if isinstance(each, Rule)}
    assert not [each for each in behind if isinstance(each, Chain) and "10.7" in str(each.rules)]


def test_forwarded_ports(topology, router):
    there = of(topology, "h2")
    for chain in ("PREROUTING", "OUTPUT"):
        assert rules(there, f"snat-{router}", f"neutron-l3-agent-{chain}") == (
            "-d 2.2.2.102/32 -j DNAT --to-destination 10.1.0.12",
            "-d 2.2.2.103/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.1.0.12:8080",
            "-d 2.2.2.103/32 -p udp -m udp --dport 5000:5009 "
            "-j DNAT --to-destination 10.1.0.13:6000-6009/5000",
        )


def test_a_binding_that_moves_ends_one_translation_and_begins_another(topology):
    moved = parse_topology(FILE.replace("2.2.2.101: {instance: a}", "2.2.2.101: {instance: d}"), "")
    needed = change(of(moved, "h1"), of(topology, "h1"))
    assert {f.inner for f in needed.removed if isinstance(f, Translation)} == {"10.1.0.11"}
    (begun,) = (resource for resource in needed.added if isinstance(resource, Translation))
    assert (begun.outer, begun.inner) == ("2.2.2.101", "10.1.0.14")
    # The rules that translate, and the jumps to them, are made first.
    assert {
        resource.key for step in needed.makings for resource in step if isinstance(resource, Chain)
    } & set(begun.after)


def test_of_forwarded_ports_only_the_edited_ones_are_translated_anew(topology):
    moved = parse_topology(FILE.replace("internal_port: 8080", "internal_port: 8081"), "")
    needed = change(of(moved, "h2"), of(topology, "h2"))
    ended = [resource for resource in needed.removed if isinstance(resource, Translation)]
    assert [(each.outer_ports, each.inner_ports) for each in ended] == [("80", "8080")]


def test_what_ended_is_forgotten_when_all_else_is_made(topology):
    moved = parse_topology(FILE.replace("2.2.2.101: {instance: a}", "2.2.2.101: {instance: d}"), "")
    lines = [line for line in script(change(of(moved, "h1"), of(topology, "h1")), "h1") if line]
    forgets = [number for number, line in enumerate(lines) if "conntrack -D" in line]
    assert "10.1.0.11" in lines[forgets[-1]]
    assert max(n for n, line in enumerate(lines) if "iptables" in line) < min(forgets)


def test_no_host_has_a_way_of_its_own_to_a_central_address(topology):
    routes = {
        resource.destination for resource in of(topology, "h1") if isinstance(resource, Route)
    }
    assert "2.2.2.101/32" in routes and "2.2.2.102/32" not in routes
