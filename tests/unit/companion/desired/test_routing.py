"""Resources: cards, addresses, routes and virtual IPs, on the hosts of examples/shapes.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network

import pytest

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import Neighbour
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.companion.resources.routing.rule import Rule
from dvr_ryu.companion.resources.routing.tables import MAIN_TABLE
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology, parse_topology
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

FILE = examples_dir() / "shapes.yaml"


@pytest.fixture(scope="module")
def shapes() -> Topology:
    return load_topology(FILE)


@pytest.fixture(scope="module")
def hosts(shapes: Topology) -> Mapping[str, tuple[Resource, ...]]:
    return {name: desired_resources(HostView(shapes, name), "netdev") for name in shapes.hosts}


def of(found, kind, namespace):
    return {
        resource
        for resource in found
        if isinstance(resource, kind) and resource.namespace == namespace
    }


def neighbours(found, namespace):
    return {resource.ip: resource.mac for resource in of(found, Neighbour, namespace)}


@pytest.mark.parametrize("host", ["server-1", "server-2", "server-3"])
def test_what_a_resource_needs_is_a_resource(hosts, host):
    keys: list[Key] = [resource.key for resource in hosts[host]]
    assert len(set(keys)) == len(keys)
    needed = {
        need for resource in hosts[host] for need in (resource.container, *resource.after) if need
    }
    assert needed <= set(keys)


def test_each_card_has_its_wire_and_the_first_leads_out(hosts, shapes):
    found = hosts["server-3"]
    cards = {card.card: card for card in shapes.cards if card.name == "both"}
    devices = {device.name: device.mac for device in of(found, Device, "vm-both")}
    assert devices == {"lo": None, **{name: card.mac for name, card in cards.items()}}
    ports = {resource.name: resource for resource in found if isinstance(resource, OvsPort)}
    veths = {name: ports[card.device].outer for name, card in cards.items()}
    assert [veth[2] for veth in veths.values() if veth] == ["eth0", "eth1"]
    assert not [route for route in of(found, Route, "vm-both") if route.device == "eth1"]


def test_further_addresses_do_not_hide_the_first(hosts):
    """Another address of the first's subnet adds no subnet; the first address of another subnet
    adds it."""
    assert {each.address for each in of(hosts["server-2"], Address, "vm-many")} == {
        "10.1.0.21/32",
        "10.1.1.20/24",
    }


def test_what_is_set_in_an_instance_is_marked(hosts):
    (address,) = of(hosts["server-3"], Address, "vm-lab-3")
    (route,) = of(hosts["server-3"], Route, "vm-lab-3")
    assert address.describe().endswith(" dev eth0 label eth0:fixed")
    assert route.describe().endswith(" via 10.3.0.1 dev eth0 proto static")


@pytest.mark.parametrize("host", ["server-1", "server-2", "server-3"])
def test_routers_know_each_others_networks_and_each_other(hosts, shapes, host):
    edge, inner = (shapes.routers[name] for name in ("edge", "inner"))
    on_db = {
        router.name: next(each for each in router.interfaces if each.network == "db")
        for router in (edge, inner)
    }
    routes = of(hosts[host], Route, edge.namespace)
    to_lab = Route(edge.namespace, MAIN_TABLE, "10.3.0.0/24", "10.2.0.254", on_db["edge"].device)
    assert to_lab in routes
    assert {each.destination for each in of(hosts[host], Route, inner.namespace)} == {"default"}
    for one, other in ((edge, on_db["inner"]), (inner, on_db["edge"])):
        assert neighbours(hosts[host], one.namespace)[other.ip] == other.mac


def test_what_is_behind_a_next_hop_goes_to_snat_and_back(hosts, shapes):
    edge = shapes.routers["edge"]
    sources = {each.source for each in of(hosts["server-1"], Rule, edge.namespace)}
    assert {"10.1.0.0/24", "10.1.1.0/24", "10.2.0.0/24", "10.3.0.0/24", "172.16.0.0/16"} <= sources
    back = {
        each.destination: each.via for each in of(hosts["server-3"], Route, edge.snat_namespace)
    }
    assert back["172.16.0.0/16"] == "10.1.0.20"
    assert back["10.3.0.0/24"] == "10.2.0.254"


def test_a_rule_for_one_address_is_spelt_in_one_way():
    """The caller may write the length or omit it; the rule equals the one read from the kernel."""
    assert Rule("qrouter-1", 5, 5, "9.9.9.9/32") == Rule("qrouter-1", 5, 5, "9.9.9.9")
    assert Rule("qrouter-1", 5, 5, "9.9.9.0/31").source == "9.9.9.0/31"


def test_tenants_of_the_same_addresses_have_neighbours_of_their_own(hosts, shapes):
    edge, twin = (shapes.routers[name].namespace for name in ("edge", "twin"))
    for host in ("server-1", "server-2"):
        known = [neighbours(hosts[host], each)["10.1.0.11"] for each in (edge, twin)]
        assert known == [shapes.instances[name].mac for name in ("web-1", "twin-1")]


def test_a_virtual_ip_is_nobodys_neighbour_even_if_it_is_an_instances_own():
    """The companion cannot predict the owner of an address that instances may take over, nor answer
    for it."""
    text = FILE.read_text().replace("{ip: 10.1.0.100}", "{ip: 10.1.0.30}")
    topology = parse_topology(text, "shapes.yaml")
    edge = topology.routers["edge"].namespace
    for host in topology.hosts:
        known = neighbours(desired_resources(HostView(topology, host), "netdev"), edge)
        assert "10.1.0.30" not in known and "10.1.0.12" in known
    view = HostView(topology, "server-1")
    assert ("web", "10.1.0.30") in {(row.network, row.ip) for row in view.virtual_ip}


def test_a_virtual_mac_leads_to_those_here_who_may_use_it(shapes):
    rows = {host: HostView(shapes, host).virtual_mac for host in shapes.hosts}
    gateways = shapes.gateway_macs
    for host, names in (("server-1", ("web-1", "web-2")), ("server-2", ("web-3",))):
        (row,) = rows[host]
        assert set(row.ports) == {shapes.instances[name].device for name in names}
        assert row.gateway_mac == gateways["web", IPv4Network("10.1.0.0/24")]
    assert rows["server-3"] == ()


def test_a_router_goes_where_another_sends_to_it():
    """A single instance on `web` adds `edge`, which has a route to `lab` by `inner`."""
    lines = FILE.read_text().split("instances:")[0]
    text = f"{lines}instances:\n  only: {{host: server-1, network: web}}\n"
    topology = parse_topology(text, "shapes.yaml")
    here = {router.name for router in HostView(topology, "server-1").local_routers}
    assert here == {"edge", "inner"}
    assert {"web", "db", "lab"} <= topology.local_vlans["server-1"].keys()
