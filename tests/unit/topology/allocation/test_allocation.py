"""What the file leaves open: stable, in range, and unique where it must be."""

from __future__ import annotations

import random
from ipaddress import IPv4Address, IPv4Network
from typing import Any

import attrs
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dvr_ryu.topology import model
from dvr_ryu.topology.allocation import numbers
from dvr_ryu.topology.allocation.slots import Exhausted, Slots, preferred
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.spec.scalars import FIP_RULE_PRIORITIES
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView
from tests.unit.topology.files import topology_file

Data = dict[str, Any]


def load(data: Data) -> Topology:
    return parse_topology(yaml.safe_dump(data, sort_keys=False), "drawn.yaml")


@st.composite
def topologies(draw: st.DrawFn) -> Data:
    """A topology with nothing pinned but addresses of hosts and subnets."""
    hosts = [f"h{n}" for n in range(draw(st.integers(1, 5)))]
    networks = [f"n{n}" for n in range(draw(st.integers(1, 5)))]
    instances: dict[str, dict[str, str]] = {
        f"vm{n}": {"host": draw(st.sampled_from(hosts)), "network": draw(st.sampled_from(networks))}
        for n in range(draw(st.integers(0, 12)))
    }
    routers: dict[str, Data] = {
        f"r{n}": {
            "interfaces": [
                {"network": each}
                for each in draw(st.lists(st.sampled_from(networks), min_size=1, unique=True))
            ],
            "external_network": "external",
        }
        for n in range(draw(st.integers(0, 3)))
    }
    routed = {each["network"] for router in routers.values() for each in router["interfaces"]}
    floating = [name for name, each in instances.items() if each["network"] in routed]
    return {
        "hosts": {
            name: {"address": f"10.0.0.{n + 1}", "snat": n < 2} for n, name in enumerate(hosts)
        },
        "networks": {
            **{
                name: {
                    "subnets": [{"cidr": f"192.168.{n}.0/27"}],
                    "dhcp": draw(st.sampled_from(["central", "distributed"])),
                }
                for n, name in enumerate(networks)
            },
            "external": {
                "external": True,
                "subnets": [{"cidr": "2.2.2.0/24"}],
                "gateway_host": hosts[0],
            },
        },
        "routers": routers,
        "instances": instances,
        "floating_ips": {
            f"2.2.2.{n + 100}": draw(st.sampled_from(_bindings(name)))
            for n, name in enumerate(floating)
        },
    }


def _bindings(instance: str) -> list[Data]:
    """What a floating address may be to an instance."""
    web, names = (
        {"protocol": protocol, "instance": instance, "external_port": port}
        for protocol, port in (("tcp", "8000-8009"), ("udp", 53))
    )
    bound = {"instance": instance}
    return [bound, {**bound, "central": True}, {"port_forwardings": [web, names]}]


def shuffled(data: Any, rng: random.Random) -> Any:
    """The same topology with its lines in another order, those of lists included."""
    if isinstance(data, dict):
        keys = rng.sample(list(data), len(data))
        return {key: shuffled(data[key], rng) for key in keys}
    if isinstance(data, list):
        return [shuffled(each, rng) for each in rng.sample(data, len(data))]
    return data


@settings(max_examples=60, deadline=None)
@given(topologies(), st.randoms(use_true_random=False))
def test_the_order_of_lines_is_irrelevant(data, rng):
    assert load(shuffled(data, rng)) == load(data)


@settings(max_examples=60, deadline=None)
@given(topologies())
def test_numbers_are_unique_and_in_range(data):
    topology = load(data)
    # A distributed port is one port on all of its hosts.
    services = {attrs.evolve(p, host="") if p.distributed else p for p in topology.service_ports}
    ports = [*topology.instances.values(), *services]
    interfaces = [each for router in topology.routers.values() for each in router.interfaces]
    ends: list[model.Port | model.RouterInterface] = [*ports, *interfaces]
    links = [router.fip_link for router in topology.routers.values()]
    macs = [each.mac for each in ends]
    macs += [mac for link in links for mac in (link.rfp_mac, link.fpr_mac)]
    assert all(mac.startswith("fa:16:3e:") for mac in macs)
    dvr_macs = [host.dvr_mac for host in topology.hosts.values()]
    assert all(mac.startswith("fa:16:3f:") for mac in dvr_macs)
    assert_unique(macs + dvr_macs)
    assert_unique([each.id[:10] for each in [*ends, *topology.routers.values()]])
    assert_unique([each.vni for each in topology.networks.values()])
    assert_unique([link.rfp_ip for link in links])
    for link in links:
        assert IPv4Address(link.rfp_ip) in numbers.LINK_PAIRS
        assert int(IPv4Address(link.rfp_ip)) % 2 == 0
        assert IPv4Address(link.fpr_ip) == IPv4Address(link.rfp_ip) + 1
    priorities = [each.rule_priority for each in topology.floating_ips.values()]
    assert_unique(priorities)
    assert set(priorities) <= set(FIP_RULE_PRIORITIES)
    addresses = [(each.network, each.ip) for each in ends]
    assert_unique(addresses + [(each.network, each.ip) for each in topology.floating_ips.values()])
    for port in ports:
        subnet = topology.networks[port.network].subnets[0]
        assert IPv4Address(port.ip) in subnet.cidr
        assert IPv4Address(port.ip) not in (subnet.cidr[0], subnet.cidr[-1])
        assert (port.ip == subnet.gateway_ip) == (port.owner == model.EXTERNAL_GATEWAY)


@settings(max_examples=60, deadline=None)
@given(topologies())
def test_numbers_of_a_host_are_unique_and_in_range(data):
    topology = load(data)
    for name, host in topology.hosts.items():
        view = HostView(topology, name)
        for bridge in ("br-int", "br-tun"):
            ofports = view.planned_ofports(bridge)
            assert_unique(list(ofports.values()))
            assert all(1 <= number <= 0xFEFF for number in ofports.values())
        assert set(host.tunnel_ports) == set(topology.hosts) - {name}
        tags = view.local_vlans
        assert_unique(list(tags.values()))
        assert all(1 <= tag <= 4094 for tag in tags.values())
        joined = {each.network for router in view.local_routers for each in router.interfaces}
        assert set(tags) == {port.network for port in view.local_ports} | joined


def assert_unique(values: list[Any]) -> None:
    assert len(set(values)) == len(values), values


@settings(max_examples=60, deadline=None)
@given(topologies(), st.data())
def test_removing_an_instance_moves_nobody_but_by_a_collision(data, choice):
    """With probing, what a pool has given out differs by the slot that is no longer wanted."""
    floating = data["floating_ips"].values()
    leading = [each for some in floating for each in (some, *some.get("port_forwardings", ()))]
    reached = {each.get("instance") for each in leading}
    names = [
        name
        for name, each in data["instances"].items()
        if name not in reached
        and sum(other["network"] == each["network"] for other in data["instances"].values()) > 1
    ]
    if not names:
        return
    gone = choice.draw(st.sampled_from(names))
    before = load(data).instances
    rest = {name: each for name, each in data["instances"].items() if name != gone}
    after = load({**data, "instances": rest}).instances
    network = before[gone].network
    for field in ("id", "mac"):
        assert {name: getattr(before[name], field) for name in rest} == {
            name: getattr(after[name], field) for name in rest
        }
    for name in rest:
        if before[name].network != network:
            assert before[name].ip == after[name].ip


@settings(max_examples=60, deadline=None)
@given(topologies())
def test_moving_an_instance_changes_its_host_only(data):
    for name, each in data["instances"].items():
        for host in data["hosts"]:
            moved = {**data["instances"], name: {**each, "host": host}}
            before, after = load(data), load({**data, "instances": moved})
            assert after.instances[name].host == host
            # A port number is a bridge's own: it may be another's there.
            for was, now in zip(before.cards, after.cards, strict=True):
                if was.name != name:
                    assert now.host == was.host
                assert attrs.evolve(now, host=was.host, ofport=was.ofport) == was
        break


names = st.lists(st.text("abcdef", min_size=1, max_size=4), unique=True, max_size=30)


@given(names, st.data())
def test_a_slot_is_freed_by_whom_had_it(claimants, choice):
    """The set of slots that are taken does not depend on who came first, and grows one by one."""
    pool = range(100, 140)
    given_out = {name: slots.take(name) for slots in [Slots(pool)] for name in sorted(claimants)}
    assert_unique(list(given_out.values()))
    assert set(given_out.values()) <= set(pool)
    if claimants:
        gone = choice.draw(st.sampled_from(claimants))
        slots = Slots(pool)
        left = {name: slots.take(name) for name in sorted(claimants) if name != gone}
        assert set(left.values()) < set(given_out.values())
        moved = {name for name in left if left[name] != given_out[name]}
        assert all(name > gone for name in moved)


@given(st.lists(st.text("abc", min_size=1), unique=True, min_size=2), st.text("xyz", max_size=3))
def test_another_candidate_wins_only_what_it_gets(candidates, name):
    first, *others = candidates
    assert preferred(name, candidates) in (first, preferred(name, others))


def test_what_is_null_is_chosen_like_what_is_left_out():
    instances = "\n  a: {host: one, network: blue%s}\n  b: {host: two, network: yellow}"
    left_out, null = (
        parse_topology(topology_file(instances=instances % pins), "topology.yaml")
        for pins in ("", ", ip: null, mac: null, id: null")
    )
    assert null == left_out


@settings(max_examples=60, deadline=None)
@given(topologies(), st.data())
def test_one_more_host_moves_no_dhcp_server(data: Data, choice: st.DataObject) -> None:
    """A distributed one only comes to the new host: its numbers are the same on all."""
    network = choice.draw(st.sampled_from(sorted(set(data["networks"]) - {"external"})))
    data["networks"][network]["dhcp"] = "distributed"
    data["instances"]["first"] = {"host": "h0", "network": network}
    wider = {**data, "hosts": {**data["hosts"], "new": {"address": "10.0.0.99"}}}
    there = {"host": "new", "network": network, "ip": "192.168.200.9"}
    wider["networks"][network]["subnets"].append({"cidr": "192.168.200.0/24", "dhcp": False})
    before, after = (
        {port.host: port for port in load(each).service_ports
         if (port.owner, port.network) == (model.DHCP, network)}
        for each in (wider, {**wider, "instances": {**wider["instances"], "another": there}})
    )  # fmt: skip
    assert after.keys() - before.keys() == {"new"}
    assert {attrs.evolve(port, host="") for port in after.values()} == {
        attrs.evolve(before["h0"], host="")
    }


def test_a_dhcp_port_has_what_is_pinned_and_one_address_in_each_other_subnet() -> None:
    def addresses(**port: Any) -> list[str]:
        subnets = [{"cidr": f"10.1.{n}.0/24"} for n in range(3)]
        data: Data = {
            "hosts": {"one": {"address": "10.0.0.1"}},
            "networks": {"n": {"subnets": subnets, "dhcp_port": port}},
            "instances": {"a": {"host": "one", "network": "n"}},
        }
        (found,) = (port for port in load(data).service_ports if port.owner == model.DHCP)
        return [fixed.ip for fixed in found.addresses]

    chosen = addresses()
    assert [ip.rpartition(".")[0] for ip in chosen] == ["10.1.0", "10.1.1", "10.1.2"]
    assert addresses(ip="10.1.1.9") == addresses(ips=["10.1.1.9"])
    assert addresses(ips=["10.1.1.9", "10.1.0.9"]) == ["10.1.1.9", "10.1.0.9", chosen[2]]


def test_no_port_is_given_what_strangers_may_lease() -> None:
    """And where nobody collides, a range moves only those who would be in it."""
    data: Data = {
        "hosts": {"one": {"address": "10.0.0.1"}},
        "networks": {"n": {"subnets": [{"cidr": "10.1.0.0/16"}]}},
        "instances": {f"vm{n}": {"host": "one", "network": "n"} for n in range(20)},
    }
    before = load(data)
    (subnet,) = data["networks"]["n"]["subnets"]
    subnet["dhcp_ranges"] = [{"start": "10.1.64.0", "end": "10.1.127.255"}]
    after = load(data)
    leased = IPv4Network("10.1.64.0/18")
    moved = {old.ip for old, new in zip(before.ports, after.ports, strict=True) if old.ip != new.ip}
    assert moved == {port.ip for port in before.ports if IPv4Address(port.ip) in leased} != set()
    assert not [port.ip for port in after.ports if IPv4Address(port.ip) in leased]


@given(st.sets(st.integers(100, 139)), st.integers(0, 20), st.integers(0, 19))
def test_holes_are_not_handed_out(taken: set[int], start: int, length: int) -> None:
    hole = range(100 + start, 100 + start + length)
    slots = Slots(range(100, 140), taken, [hole] if hole else [])
    given_out = set()
    with pytest.raises(Exhausted):
        for number in range(41):
            given_out.add(slots.take(str(number)))
    assert given_out == set(range(100, 140)) - taken - set(hole)
