"""Cards, addresses, subnets and pairs: what the forms of the file mean, and that they move nobody's
numbers.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
import yaml

from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView
from tests.unit.topology.files import topology_file

Data = dict[str, Any]

TWO = [{"cidr": "10.1.0.0/24"}, {"cidr": "10.1.1.0/24"}]
SITE: Data = {
    "hosts": {"one": {"address": "10.0.0.1"}, "two": {"address": "10.0.0.2"}},
    "networks": {"n": {"subnets": TWO}, "m": {"subnets": [{"cidr": "10.2.0.0/24"}]}},
    "routers": {"r": {"interfaces": [{"network": "n"}, {"network": "m"}]}},
    "instances": {
        "a": {"host": "one", "network": "n"},
        "b": {"host": "two", "network": "m"},
    },
}


def load(**sections: Any) -> Topology:
    return parse_topology(yaml.safe_dump({**SITE, **sections}), "t.yaml")


def instances(**changed: Data) -> Data:
    return {**SITE["instances"], **changed}


def test_one_port_is_the_short_form():
    long_form = {"host": "one", "ports": [{"network": "n"}]}
    assert load(instances=instances(a=long_form)) == load()
    pinned = {"network": "n", "ip": "10.1.0.7", "mac": "fa:16:3e:00:00:01"}
    listed = {**pinned, "ips": ["10.1.0.7"]}
    del listed["ip"]
    short = load(instances=instances(a={"host": "one", **pinned}))
    assert load(instances=instances(a={"host": "one", **listed})) == short
    assert load(instances=instances(a={"host": "one", "ports": [listed]})) == short


def test_a_card_more_moves_nobodys_numbers():
    before = load()
    more = {"host": "one", "ports": [{"network": "n"}, {"network": "m"}, {"network": "m"}]}
    after = load(instances=instances(a=more))
    assert after.instances == before.instances
    second, third = after.more_cards
    assert [(card.card, card.network) for card in (second, third)] == [("eth1", "m"), ("eth2", "m")]
    assert len({second.mac, third.mac, *(port.mac for port in before.ports)}) == 2 + len(
        before.ports
    )
    assert after.routers == before.routers
    swapped = {"host": "one", "ports": [{"network": "n"}, {"network": "m"}]}
    assert load(instances=instances(a=swapped)).more_cards == (second,)


def test_a_subnet_more_leaves_a_routers_port_as_it_was():
    before = load().routers["r"]
    both = [*SITE["routers"]["r"]["interfaces"], {"network": "n", "subnet": "10.1.1.0/24"}]
    after = load(routers={"r": {"interfaces": both}}).routers["r"]
    assert [each for each in after.interfaces if each in before.interfaces] == list(
        before.interfaces
    )
    (new,) = (each for each in after.interfaces if each not in before.interfaces)
    assert (new.ip, str(new.cidr)) == ("10.1.1.1", "10.1.1.0/24")


def test_each_subnet_has_the_gateway_that_its_instances_know():
    """A port in a subnet that no router joins is not routed, whatever its network's others are."""
    upper = {"host": "one", "network": "n", "ip": "10.1.1.7"}
    unjoined = load(instances=instances(a=upper))
    assert ("n", unjoined.instances["a"].cidr) not in unjoined.gateway_macs
    interfaces = [{"network": "n", "subnet": each["cidr"]} for each in TWO]
    joined = load(routers={"r": {"interfaces": interfaces}}, instances=instances(a=upper))
    macs = {each.cidr: each.mac for each in joined.routers["r"].interfaces}
    assert joined.gateway_macs["n", joined.instances["a"].cidr] == macs[joined.instances["a"].cidr]


def test_a_virtual_ip_of_a_routed_subnet_is_routed_to_whatever_the_ports_own_address_is_in():
    shared = [{"ip": "10.1.0.200"}, {"ip": "10.1.0.201", "mac": "00:00:5e:00:01:07"}]
    upper = {"host": "one", "network": "n", "ip": "10.1.1.7"}
    for pairs in ([], shared[:1], shared):
        topology = load(instances=instances(a={**upper, "allowed_address_pairs": pairs}))
        view = HostView(topology, "one")
        (gateway,) = (mac for (network, _), mac in topology.gateway_macs.items() if network == "n")
        routed = [(row.ip, row.gateway_mac) for row in view.routed_port if row.name == "a"]
        assert routed == ([("10.1.0.200", gateway)] if pairs else [])
        macs = [(row.mac, row.gateway_mac) for row in view.virtual_mac]
        assert macs == ([("00:00:5e:00:01:07", gateway)] if len(pairs) > 1 else [])


def test_a_virtual_ip_is_given_to_nobody():
    """Of the six addresses of a /29 four are left beside the gateway and the DHCP port."""
    small = {"n": {"subnets": [{"cidr": "10.1.0.0/29"}]}, "m": SITE["networks"]["m"]}
    for ip in range(2, 7):
        pair = {"ip": f"10.1.0.{ip}"}
        first = {"host": "one", "network": "n", "allowed_address_pairs": [pair]}
        crowd = {f"vm-{at}": {"host": "one", "network": "n"} for at in range(2)}
        topology = load(networks=small, instances=instances(a=first, **crowd))
        assert pair["ip"] not in {port.ip for port in topology.ports}
        assert topology.virtual_ips == {("n", pair["ip"])}


def test_a_pair_with_the_ports_own_mac_is_one_without():
    mac = "fa:16:3e:00:00:01"
    bare, own = ({"ip": "10.1.0.9"}, {"ip": "10.1.0.9/32", "mac": mac})
    one, other = (
        load(instances=instances(a={**SITE["instances"]["a"], "mac": mac, **pairs}))
        for pairs in ({"allowed_address_pairs": [bare]}, {"allowed_address_pairs": [own]})
    )
    assert one == other


def test_the_order_of_interfaces_routes_and_pairs_is_irrelevant():
    text = (examples_dir() / "shapes.yaml").read_text()
    data = yaml.safe_load(text)
    rng = random.Random(4711)
    for router in data["routers"].values():
        rng.shuffle(router["interfaces"])
        router.get("routes", []).reverse()
    for instance in data["instances"].values():
        instance.get("allowed_address_pairs", []).reverse()
    shuffled = parse_topology(yaml.safe_dump(data, sort_keys=False), "t.yaml")
    assert shuffled == parse_topology(text, "t.yaml")


@pytest.mark.parametrize("ip", ["0.0.0.0/0", "192.0.0.0/2", "169.254.1.1", "203.0.113.9"])
def test_a_pair_may_be_any_address_that_a_machine_can_have(ip):
    """A range may have some of its addresses for nobody; link-local ones are for machines."""
    instances = f"{{a: {{host: one, network: blue, allowed_address_pairs: [{{ip: {ip}}}]}}}}"
    assert parse_topology(topology_file(instances=instances), "pair.yaml")


@pytest.mark.parametrize("destination", ["0.0.0.0/0", "0.0.0.0/1", "169.254.169.254/32"])
def test_instances_may_be_told_of_routes_to_metadata_and_everywhere(destination):
    route = f"host_routes: [{{destination: {destination}, nexthop: 192.168.1.9}}]"
    networks = f"{{blue: {{subnets: [{{cidr: 192.168.1.0/24, {route}}}]}}}}"
    text = topology_file(networks=networks, routers="", instances="", floating_ips="")
    assert parse_topology(text, "routes.yaml")
