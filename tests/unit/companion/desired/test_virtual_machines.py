"""The resources of virtual machines: a tap on br-int for each card, and qemu with what it needs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.desired.virtual_machines import migration_uri
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.tap import Tap
from dvr_ryu.companion.resources.virtual_machine import (
    VirtualMachine,
    first_tap,
    without_incoming,
)
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

FILE = """
underlay: {cidr: 10.0.44.0/24, mtu: 1550}
hosts: {h1: {address: 10.0.44.1}, h2: {address: 10.0.44.2}}
networks:
  served: {dhcp_host: h1, subnets: [{cidr: 10.1.0.0/24}]}
  fixed: {subnets: [{cidr: 10.2.0.0/24, gateway_ip: 10.2.0.1, dhcp: false,
                     host_routes: [{destination: 10.9.0.0/16, nexthop: 10.2.0.9}]}]}
instances:
  one: {host: h1, guest: qemu, network: fixed, ip: 10.2.0.5, mac: "fa:16:3e:00:00:01"}
  two:
    host: h1
    guest: qemu
    ports: [{network: served, ips: [10.1.0.5, 10.1.0.6]}, {network: fixed}]
  old: {host: h1, network: served}
"""


@pytest.fixture(scope="module")
def topology() -> Topology:
    return parse_topology(FILE, "t.yaml")


def resources_of(topology: Topology, datapath_type: str = "netdev") -> list[Resource]:
    return list(desired_resources(HostView(topology, "h1"), datapath_type))


def machine(topology: Topology, name: str, datapath_type: str = "netdev") -> VirtualMachine:
    found = resources_of(topology, datapath_type)
    return next(
        each for each in found if isinstance(each, VirtualMachine) and each.instance == name
    )


def words(machine: VirtualMachine) -> list[str]:
    """The words of its kernel's command line that are ours."""
    line = machine.argv[machine.argv.index("-append") + 1]
    return [word for word in line.split() if word.startswith("dvr.")]


def options(machine: VirtualMachine, name: str) -> Iterator[str]:
    for option, value in zip(machine.argv, machine.argv[1:], strict=False):
        if option == name:
            yield value


def test_a_machine_has_a_tap_on_br_int_for_each_card_and_no_namespace(topology: Topology) -> None:
    found = resources_of(topology)
    taps = {each.name for each in found if isinstance(each, Tap)}
    cards = {card.device: card for card in topology.cards if card.name in ("one", "two")}
    assert taps == cards.keys() and len(taps) == 3
    ports = {each.name: each for each in found if isinstance(each, OvsPort) and each.name in taps}
    for device, card in cards.items():
        port = ports[device]
        assert port.bridge == "br-int" and port.outer == ("tap", device)
        assert port.tag is not None and "type" not in port.interface
        assert port.interface["external_ids:iface-id"] == card.id
        assert port.interface["ofport_request"] == str(card.ofport)
    outer = {each.name: each for each in found if isinstance(each, Device) and each.name in taps}
    assert {each.mtu for each in outer.values()} == {1550}  # a router answers what is too long
    namespaces = {each.name for each in found if isinstance(each, Namespace)}
    assert "vm-old" in namespaces and namespaces.isdisjoint({"vm-one", "vm-two"})


def test_a_machine_without_dhcp_finds_its_addresses_and_routes_on_its_command_line(
    topology: Topology,
) -> None:
    assert words(machine(topology, "one")) == [
        "dvr.name=one",
        "dvr.eth0.mtu=1500",
        "dvr.eth0.address=10.2.0.5/24",
        "dvr.eth0.route=10.9.0.0/16,10.2.0.9",
        "dvr.eth0.route=default,10.2.0.1",
    ]


def test_a_card_with_dhcp_asks_for_its_address_and_sets_further_ones(topology: Topology) -> None:
    second = topology.more_cards[0].ip
    assert words(machine(topology, "two")) == [
        "dvr.name=two",
        "dvr.eth0.dhcp=10.1.0.5",
        "dvr.eth0.address=10.1.0.6/32",
        "dvr.eth1.mtu=1500",
        f"dvr.eth1.address={second}/24",
        "dvr.eth1.route=10.9.0.0/16,10.2.0.9",  # only the first card has a default route
    ]


def test_cards_have_their_macs_and_complete_checksums_on_netdev_only(topology: Topology) -> None:
    for datapath_type, off in (("netdev", True), ("system", False)):
        one = machine(topology, "one", datapath_type)
        (card,) = (each for each in options(one, "-device") if each.startswith("virtio-net"))
        assert "mac=fa:16:3e:00:00:01" in card.split(",")
        for offload in ("csum", "guest_csum", "host_tso4", "guest_tso4", "gso"):
            assert (f"{offload}=off" in card.split(",")) is off


def test_a_machine_is_found_by_the_tap_of_its_first_card(topology: Topology) -> None:
    one = machine(topology, "one")
    device = topology.instances["one"].device
    assert first_tap(one.argv) == device
    assert one.container == ("device", "", device)


def test_the_way_in_which_a_machine_began_is_no_part_of_it() -> None:
    argv = ("qemu", "-m", "1", "-incoming", "tcp:10.0.0.1:50000", "-x")
    assert without_incoming(argv) == ("qemu", "-m", "1", "-x")
    assert without_incoming(argv[:3]) == argv[:3]


def test_a_move_leads_to_the_new_host_and_to_a_port_of_the_machines_own(topology: Topology) -> None:
    one, two = (migration_uri(topology, name) for name in ("one", "two"))
    assert one.startswith("tcp:10.0.44.1:") and two.startswith("tcp:10.0.44.1:") and one != two
    assert all(49152 <= int(uri.rpartition(":")[2]) <= 65535 for uri in (one, two))


def test_a_namespace_stands_in_for_each_guest(topology: Topology) -> None:
    found = resources_of(topology.as_namespaces)
    assert not [each for each in found if isinstance(each, (Tap, VirtualMachine))]
    names = {each.name for each in found if isinstance(each, Namespace)}
    assert {"vm-one", "vm-two", "vm-old"} <= names
    plain = parse_topology(
        FILE.replace("guest: qemu, ", "").replace("    guest: qemu\n", ""), "t.yaml"
    )
    assert plain.as_namespaces is plain
    assert {*map(str, found)} == {*map(str, resources_of(plain))}
