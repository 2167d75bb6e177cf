"""Routers of every shape, on the hosts of examples/shapes.yaml: first the checks of any lab, then
those of this topology only.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from dvr_ryu.lab import report
from dvr_ryu.lab.wait import wait_until
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.topology import Topology
from tests.lab.support import verdicts
from tests.lab.support.article import Article, example_lab, pinging
from tests.lab.support.companions import seen_as

HOSTS = ("server-1", "server-2", "server-3")
VIRTUAL_IP, VIRTUAL_MAC_IP = "10.1.0.100", "10.1.0.200"
SHARING = ("web-1", "web-2", "web-3")
"""The first two are on one host, the third on another."""
ASKING = ("db-1", "db-2", "db-3", "upper")
"""One in another subnet on each host, and one on the same network, beside its other gateway."""
WORLD = "server-3"


class Shapes:
    """The lab that is up; its methods take the names of instances."""

    def __init__(self, lab: Article) -> None:
        self.lab = lab

    @property
    def topology(self) -> Topology:
        return load_topology(self.lab.file)

    def at(self, instance: str) -> tuple[str, str]:
        return self.topology.instances[instance].host, f"vm-{instance}"

    def run(self, instance: str, command: str, check: bool = True) -> str:
        return self.lab.run(self.at(instance), command, check)

    def answers(self, instance: str, address: str, *options: str) -> bool:
        ping = " ".join(["ping -n -c1 -W1", *options, address])
        return " 1 received" in self.run(instance, ping, check=False)

    def await_answer(self, instance: str, address: str, seconds: float = 15) -> None:
        wait_until(lambda: self.answers(instance, address), seconds, f"{address} for {instance}")

    def seen(self, client: str, server: str, address: str) -> str:
        """The source address of the client that `server`, which has the address, sees."""
        ends = [
            (self.lab.lab[host], endpoint)
            for host, endpoint in map(self.endpoint, (client, server))
        ]
        return seen_as(ends[0], ends[1], address)

    def endpoint(self, name: str) -> tuple[str, str | None]:
        return (name, None) if name in HOSTS else self.at(name)

    def take(
        self, old: str | None, new: str, address: str, device: str = "eth0", times: int = 1
    ) -> None:
        """Move an address to another owner, which announces it once a second."""
        if old is not None:
            self.run(old, f"ip addr del {address}/32 dev {device}")
        self.run(new, f"ip addr add {address}/32 dev {device}")
        self.run(new, f"arping -q -c{times} -w{times} -U -I {device} {address}", check=False)

    def await_neighbour(self, host: str, address: str, **known: Any) -> None:
        """Wait until the host's router `edge` has a neighbour entry with these fields."""
        wait_until(
            lambda: known.items() <= self.neighbour(host, address).items(),
            10,
            f"{host} to know {known} of {address}",
            lambda: str(self.neighbour(host, address)),
        )

    def neighbour(self, host: str, address: str) -> dict[str, Any]:
        """The neighbour entry of the host's router `edge`: MAC and states."""
        router = self.topology.routers["edge"].namespace
        (entry, *_) = json.loads(self.lab.run((host, router), f"ip -json neigh show to {address}"))
        return dict(entry)


@pytest.fixture(scope="module")
def shapes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shapes]:
    with example_lab("shapes.yaml", tmp_path_factory.mktemp("shapes")) as lab:
        yield Shapes(lab)


@pytest.fixture
def virtual_ip(shapes: Shapes) -> Iterator[str]:
    """Give a virtual IP to the first instance that may have it; its owner after the test loses
    it.
    """
    shapes.take(None, SHARING[0], VIRTUAL_IP)
    yield VIRTUAL_IP
    for instance in SHARING:
        shapes.run(instance, f"ip addr del {VIRTUAL_IP}/32 dev eth0", check=False)


# Virtual IPs -------------------------------------------------------------------------------------


def test_traces_say_what_real_packets_do(shapes):
    found = verdicts.differences(shapes.lab.lab, shapes.topology)
    assert not found, "\n".join(found)


def test_every_hosts_router_finds_a_virtual_ip_and_only_its_owner_answers(shapes, virtual_ip):
    """The answer reaches the router of whichever host asked."""
    router = shapes.topology.routers["edge"].namespace
    for host in HOSTS:
        flush = f"ip neigh flush to {virtual_ip}"
        shapes.lab.run((host, router), flush, check=False)
    for instance in (*ASKING, *SHARING[1:]):
        assert shapes.answers(instance, virtual_ip), instance
    for host in HOSTS:
        assert shapes.neighbour(host, virtual_ip)["lladdr"] == _mac(shapes, SHARING[0])


def test_every_hosts_router_hears_that_the_owner_is_still_there(shapes, virtual_ip):
    """Before the kernel forgets a neighbour, it asks it alone, with a frame from the host's MAC."""
    router = shapes.topology.routers["edge"].namespace
    for instance in ASKING:
        shapes.await_answer(instance, virtual_ip)
    for host in HOSTS:
        device, mac = (shapes.neighbour(host, virtual_ip)[key] for key in ("dev", "lladdr"))
        doubt = f"ip neigh change {virtual_ip} lladdr {mac} dev {device} nud probe"
        shapes.lab.run((host, router), doubt)
        shapes.await_neighbour(host, virtual_ip, state=["REACHABLE"])


def test_a_virtual_ip_moves_by_gratuitous_arp_on_one_host_and_across_hosts(shapes, virtual_ip):
    for instance in ASKING:
        shapes.await_answer(instance, virtual_ip)
    for old, new in zip(SHARING, (*SHARING[1:], SHARING[0]), strict=True):
        shapes.take(old, new, virtual_ip)
        # No packets pass meanwhile: a router knows only announcements.
        for host in HOSTS:
            shapes.await_neighbour(host, virtual_ip, lladdr=_mac(shapes, new))
        for instance in ASKING:
            assert shapes.answers(instance, virtual_ip), (instance, new)
        addresses = [shapes.topology.instances[name].ip for name in ("db-1", "db-3")]
        for address in (*addresses, shapes.topology.hosts[WORLD].address):
            assert shapes.answers(new, address, "-I", virtual_ip), (new, address)


@pytest.fixture
def virtual_mac(shapes: Shapes) -> Iterator[str]:
    """Give instances a MAC that no NIC has: those that share it have it on a device `vrrp`."""
    (mac,) = {pair.mac for pair in shapes.topology.instances["web-1"].address_pairs if pair.mac}
    try:
        for instance in SHARING:
            for command in (
                f"ip link add vrrp link eth0 address {mac} type macvlan mode bridge",
                # An instance without the address must be silent, because a frame would show the
                # MAC's port.
                "sysctl -qw net.ipv6.conf.vrrp.disable_ipv6=1",
                # The NIC neither answers for the address nor sends requests in its name.
                "sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2",
                "sysctl -qw net.ipv4.conf.all.rp_filter=0",
                "sysctl -qw net.ipv4.conf.vrrp.rp_filter=0",
                "ip link set vrrp up",
            ):
                shapes.run(instance, command)
        yield mac
    finally:
        for instance in SHARING:
            shapes.run(instance, "ip link del vrrp", check=False)


def test_a_virtual_ip_with_a_mac_of_its_own_moves_as_well(shapes, virtual_mac):
    """Like keepalived's use_vmac: no NIC has the MAC, so no flow of a port leads to it."""
    owners = (None, *SHARING, SHARING[0])
    for old, new in pairwise(owners):
        # It is announced once, and the last owner has just answered.
        shapes.take(old, new, VIRTUAL_MAC_IP, "vrrp")
        for instance in ASKING:
            shapes.await_answer(instance, VIRTUAL_MAC_IP)
        for host in HOSTS:
            assert shapes.neighbour(host, VIRTUAL_MAC_IP)["lladdr"] == virtual_mac


def test_a_virtual_mac_is_followed_though_it_moves_in_silence(shapes, virtual_mac):
    """Neighbours on its own network use its last announcement for 30 seconds."""
    shapes.take(None, "web-1", VIRTUAL_MAC_IP, "vrrp")
    shapes.await_answer("both", VIRTUAL_MAC_IP)
    shapes.run("web-1", f"ip addr del {VIRTUAL_MAC_IP}/32 dev vrrp")
    shapes.run("web-3", f"ip addr add {VIRTUAL_MAC_IP}/32 dev vrrp")
    shapes.await_answer("both", VIRTUAL_MAC_IP, 60)


def _mac(shapes: Shapes, instance: str) -> str:
    return shapes.topology.instances[instance].mac


# Subnets, NICs and addresses ----------------------------------------------------------------------


def test_all_addresses_of_a_nic_answer_and_others_see_the_first(shapes):
    for address in ("10.1.0.20", "10.1.0.21", "10.1.1.20"):
        for instance in (*ASKING, *SHARING[:2]):
            assert shapes.answers(instance, address), (instance, address)
    assert shapes.seen("many", "db-1", shapes.topology.instances["db-1"].ip) == "10.1.0.20"


def test_a_second_card_is_on_its_own_network_and_the_first_leads_to_the_world(shapes):
    lab_2 = shapes.topology.instances["lab-2"].ip
    assert "ttl=64" in shapes.run("both", f"ping -n -c1 -W2 {lab_2}")
    assert "ttl=64" in shapes.run("lab-2", "ping -n -c1 -W2 10.3.0.30")
    assert shapes.seen("both", "lab-2", lab_2) == "10.3.0.30"
    assert shapes.seen("both", "upper", "10.1.1.11") == "10.1.0.30"
    routes = shapes.run("both", "ip route show default")
    assert "dev eth0" in routes and "eth1" not in routes


def test_show_has_the_addresses_of_all_cards(shapes):
    shown = {each.name: set(each.addresses) for each in report.show(shapes.lab.folder).instances}
    assert shown["both"] == {"10.1.0.30/24", "10.3.0.30/24"}
    assert shown["many"] == {"10.1.0.20/24", "10.1.0.21/32", "10.1.1.20/24"}


# Extra routes ------------------------------------------------------------------------------------


def test_routers_that_share_a_network_know_each_others_by_routes(shapes):
    lab = [shapes.topology.instances[name].ip for name in ("lab-2", "lab-3")]
    for instance in ("web-1", "many", "upper"):
        for address in lab:
            assert shapes.answers(instance, address), (instance, address)
    assert shapes.seen("lab-3", "web-1", "10.1.0.11") == lab[1]


def test_a_router_without_an_external_network_leads_to_the_world_by_another(shapes):
    gateway = shapes.topology.routers["edge"].gateway_port
    world = shapes.topology.hosts[WORLD].address
    assert gateway and shapes.seen("lab-2", WORLD, world) == gateway.ip


def test_a_network_behind_an_instance_is_reached_and_reaches_the_world(shapes):
    far = "172.16.9.9"
    shapes.run("many", f"ip addr add {far}/32 dev lo")
    for instance in ("web-1", "upper", "db-3", "lab-3"):
        assert shapes.answers(instance, far), instance
    assert shapes.answers("many", shapes.topology.hosts[WORLD].address, "-I", far)


# Tenants -----------------------------------------------------------------------------------------


def test_two_tenants_have_the_same_addresses_at_the_same_time(shapes):
    """Each connection reaches its own tenant's server; both tenants use the same address."""
    inner = [("web-1", "db-2", "10.2.0.12"), ("twin-1", "twin-2", "10.2.0.12")]
    outer = [(WORLD, "web-1", "203.0.113.11"), (WORLD, "twin-1", "203.0.113.12")]
    with ThreadPoolExecutor() as pool:
        seen = list(pool.map(lambda each: shapes.seen(*each), inner))
        from_afar = list(pool.map(lambda each: shapes.seen(*each), outer))
    assert seen == ["10.1.0.11"] * 2
    assert set(from_afar) == {"203.0.113.1"}
    for ours in ("10.1.1.11", "10.3.0.30"):
        assert shapes.answers("web-1", ours)
        assert not shapes.answers("twin-1", ours)


# Edits -------------------------------------------------------------------------------------------


def test_an_edit_of_an_instances_addresses_leaves_its_virtual_ips(shapes, virtual_ip):
    text = shapes.lab.file.read_text()
    edited = text.replace("10.1.0.20, 10.1.0.21,", "10.1.0.20, 10.1.0.22,")
    edited = edited.replace("{network: lab, ip: 10.3.0.30}", "{network: lab, ip: 10.3.0.31}")
    try:
        with pinging(shapes.lab, shapes.at("db-3"), virtual_ip):
            shapes.lab.file.write_text(edited)
            for address in ("10.1.0.22", "10.3.0.31"):
                shapes.await_answer("web-2", address)
        assert not shapes.answers("web-2", "10.1.0.21")
        assert not shapes.answers("web-2", "10.3.0.30")
        assert shapes.answers("web-2", "10.1.0.20")
        assert virtual_ip in shapes.run("web-1", "ip addr show dev eth0")
        _nothing_to_change(shapes)
    finally:
        shapes.lab.file.write_text(text)
    shapes.await_answer("web-2", "10.1.0.21")
    _nothing_to_change(shapes)


def _nothing_to_change(shapes: Shapes) -> None:
    dvr = Path(sys.executable).with_name("dvr")

    def planned(host: str) -> str:
        command = f"{dvr} companion plan {shapes.lab.file} --host {host}"
        return shapes.lab.run((host, None), command, check=False)

    with ThreadPoolExecutor() as pool:
        for plan in pool.map(planned, HOSTS):
            assert not re.search("^[-+~]", plan, re.MULTILINE), plan
