"""Companions make the article's second half on three lab hosts: its output and its packets.

No controller runs here: br-int forwards as a plain switch, and br-tun only the external network,
whose ports have MACs of their own.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.providers.netlink.datapath import datapath_type
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import Neighbour, ProxyNeighbour
from dvr_ryu.companion.resources.routing.route import KernelRoute, Route
from dvr_ryu.companion.resources.routing.rule import KernelRule, Rule
from dvr_ryu.lab.hosts.bare import Lab, bare_lab
from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.model import EXTERNAL_GATEWAY
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView
from tests.lab.support.companions import Companion, await_lease, pings, run, seen_as
from tests.lab.support.judges import netlink

FILE = examples_dir() / "human-defined-dvr.yaml"
ROUTER = "qrouter-28e4ec01-f0a1-4c0e-9c2b-4f8a5d7e6b10"
SNAT = "snat-28e4ec01-f0a1-4c0e-9c2b-4f8a5d7e6b10"
FIP = "fip-ccf351c9-826c-4d93-9dd4-625302bf3051"
RFP, FPR, FG = "rfp-28e4ec01-f", "fpr-28e4ec01-f", "fg-9f4709e2-8e"


@pytest.fixture(scope="module")
def article() -> Topology:
    return load_topology(FILE)


@pytest.fixture(scope="module")
def lab(article: Topology) -> Iterator[Lab]:
    with bare_lab(article) as lab:
        yield lab


@pytest.fixture(scope="module")
def companions(lab: Lab, article: Topology) -> Mapping[str, Companion]:
    """The companion of every host, after its first apply."""
    companions = {name: Companion(lab[name], Path(FILE), name) for name in article.hosts}
    for companion in companions.values():
        assert companion("apply")
    return companions


@pytest.fixture(scope="module")
def forwarding(lab: Lab, article: Topology, companions: Mapping[str, Companion]) -> None:
    """Flows in place of the controller's: br-int switches; the external network crosses tunnels."""
    for name in article.hosts:
        view = HostView(article, name)
        flows = []
        for network in view.network:
            if network.name == "external" and network.flood:
                ports = ",".join(f"output:{port}" for port in network.flood)
                flows.append(
                    f"in_port=patch-int,dl_vlan={network.vlan},"
                    f"actions=strip_vlan,set_tunnel:{network.vni},{ports}"
                )
                flows.append(
                    f"tun_id={network.vni},actions=mod_vlan_vid:{network.vlan},output:patch-int"
                )
        lab[name].run(["ovs-ofctl", "add-flow", "br-int", "actions=NORMAL"])
        lab[name].run(["ovs-ofctl", "add-flows", "br-tun", "-"], input="\n".join(flows))
    await_lease(lab["server-233"], "cirros")


def lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines()]


def by_ourselves(resource: object) -> list[Any] | None:
    """A resource in the format of `judges.netlink`."""
    match resource:
        case Address():
            return ["address", resource.device, resource.address, resource.broadcast]
        case Route():
            return [
                "route",
                resource.table,
                resource.destination,
                resource.via,
                resource.device,
                resource.source,
            ]
        case KernelRoute():
            return [
                "kernel-route",
                resource.table,
                resource.destination,
                resource.device,
                resource.source,
            ]
        case KernelRule():
            return ["kernel-rule", resource.priority, resource.table]
        case Rule():
            return ["rule", resource.priority, resource.table, resource.source, resource.iif]
        case Neighbour():
            return ["neighbour", resource.device, resource.ip, resource.mac]
        case ProxyNeighbour():
            return ["proxy-neighbour", resource.device, resource.ip]
    return None


def test_iproute2_finds_the_made_resources(lab, article, companions):
    """The companion reads with the message classes that it also makes resources with, so it could
    be wrong twice.
    """
    for name, host in lab.hosts.items():
        if name not in article.hosts:
            continue
        there = desired_resources(HostView(article, name), datapath_type())
        for namespace in (ROUTER, FIP, SNAT):
            ours = [
                by_ourselves(each) for each in there if getattr(each, "namespace", "") == namespace
            ]
            if any(ours):
                output = run(host, f"{sys.executable} {netlink.__file__}", namespace)
                expected = sorted((each for each in ours if each), key=str)
                assert json.loads(output) == json.loads(json.dumps(expected)), (name, namespace)


# The article's output -----------------------------------------------------------------------------


def test_a_second_apply_changes_nothing(companions):
    for companion in companions.values():
        assert companion("plan") == []
        assert companion("apply") == []


def test_nat(lab, companions):
    output = lines(run(lab["server-233"], "iptables -t nat -S", ROUTER))
    for line in (
        "-A neutron-l3-agent-OUTPUT -d 2.2.2.100/32 -j DNAT --to-destination 192.168.10.222",
        "-A neutron-l3-agent-PREROUTING -d 2.2.2.100/32 -j DNAT --to-destination 192.168.10.222",
        "-A neutron-l3-agent-float-snat -s 192.168.10.222/32 -j SNAT --to-source 2.2.2.100",
    ):
        assert line in output


def test_rules_and_table_16(lab, companions):
    rules = run(lab["server-233"], "ip rule", ROUTER)
    assert "57482:\tfrom 192.168.10.222 lookup 16" in lines(rules)
    table = run(lab["server-233"], "ip route show table 16", ROUTER)
    assert lines(table) == [f"default via 169.254.31.29 dev {RFP}"]


def test_router_addresses(lab, companions):
    output = run(lab["server-233"], f"ip -4 addr show dev {RFP}", ROUTER)
    assert f"inet 2.2.2.100/32 brd 2.2.2.100 scope global {RFP}" in lines(output)
    assert f"inet 169.254.31.28/31 scope global {RFP}" in lines(output)


def test_fip_routes(lab, companions):
    assert lines(run(lab["server-233"], "ip route", FIP)) == [
        f"default via 2.2.2.1 dev {FG}",
        f"2.2.2.0/24 dev {FG} proto kernel scope link src 2.2.2.6",
        f"2.2.2.9 via 169.254.31.28 dev {FPR}",
        f"2.2.2.100 via 169.254.31.28 dev {FPR}",
        f"169.254.31.28/31 dev {FPR} proto kernel scope link src 169.254.31.29",
    ]


def test_fip_addresses(lab, companions):
    output = run(lab["server-233"], "ip a", FIP)
    for pattern in (
        r"\d+: fpr-28e4ec01-f@if\d+: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 ",
        r"link/ether 42:55:ae:6e:ab:34 brd ff:ff:ff:ff:ff:ff",
        r"inet 169.254.31.29/31 scope global fpr-28e4ec01-f",
        r"inet6 fe80::4055:aeff:fe6e:ab34/64 scope link",
        r"\d+: fg-9f4709e2-8e(@if\d+)?: <BROADCAST,MULTICAST(,PROMISC)?,UP,LOWER_UP> mtu 1500 ",
        r"link/ether fa:16:3e:e1:15:10 brd ff:ff:ff:ff:ff:ff",
        r"inet 2.2.2.6/24 brd 2.2.2.255 scope global fg-9f4709e2-8e",
        r"inet6 fe80::f816:3eff:fee1:1510/64 scope link",
    ):
        assert re.search(pattern, output), pattern


def test_tunnel_ports_have_their_numbers(lab, companions):
    output = run(lab["server-233"], "ovs-ofctl show br-tun")
    for port in (" 1(patch-int)", " 2(vxlan-0a002c40)", " 3(vxlan-0a002c44)"):
        assert port in output
    assert "server-233/br-tun" in run(lab["server-233"], "ovs-ofctl dump-desc br-tun")


# The article's packets ----------------------------------------------------------------------------


def test_dhcp_gives_an_instance_its_address_its_way_out_and_its_mtu(lab, forwarding):
    lease = await_lease(lab["server-233"], "cirros")
    assert lease["ip"] == "192.168.10.222/24"
    assert lease["router"] == "192.168.10.1"
    assert lease["mtu"] == "1500"
    routes = lines(run(lab["server-233"], "ip route", "vm-cirros"))
    assert "default via 192.168.10.1 dev eth0 proto dhcp" in routes


def test_dhcp_answers_no_foreign_mac(lab, forwarding):
    host = lab["server-233"]
    run(host, "ip netns add stranger")
    run(host, "ip link add strange0 type veth peer name eth0 netns stranger")
    run(host, "ip link set strange0 up")
    run(host, "ip -n stranger link set eth0 up")
    run(host, "ovs-vsctl add-port br-int strange0 tag=1")
    asking = "udhcpc -f -n -q -t 2 -T 1 -i eth0 -s /bin/true"
    assert host.run(asking.split(), namespace="stranger", check=False).returncode != 0


def test_the_external_host_reaches_floating_addresses_on_any_host(lab, forwarding):
    await_lease(lab["server-233"], "cirros")
    assert pings(lab["server-64"], None, "2.2.2.100", "-I", "10.0.44.64")
    assert seen_as((lab["server-64"], None), (lab["server-233"], "vm-cirros"), "2.2.2.100") in (
        "2.2.2.1",
        "10.0.44.64",
    )


def test_an_instance_is_seen_beyond_as_its_floating_address(lab, forwarding):
    await_lease(lab["server-233"], "cirros")
    cirros = (lab["server-233"], "vm-cirros")
    assert seen_as(cirros, (lab["server-64"], None), "10.0.44.64") == "2.2.2.100"


def test_floating_addresses_of_two_hosts_reach_each_other(lab, article, forwarding):
    """Set the address by hand: vm-64's DHCP server is on another host, which `forwarding` does not
    reach.
    """
    host, port = lab["server-64"], article.instances["vm-64"]
    run(host, f"ip addr replace {port.ip}/24 dev eth0", "vm-vm-64")
    run(host, "ip route replace default via 192.168.10.1", "vm-vm-64")
    cirros, peer = (lab["server-233"], "vm-cirros"), (host, "vm-vm-64")
    assert pings(*cirros, "2.2.2.9")
    assert seen_as(cirros, peer, "2.2.2.9") == "2.2.2.100"
    assert seen_as(peer, cirros, "2.2.2.100") == "2.2.2.9"


@pytest.mark.parametrize(
    "address, host", [("2.2.2.100", "server-233"), ("2.2.2.9", "server-64"), ("2.2.2.4", None)]
)
def test_only_one_host_answers_for_a_floating_address(lab, article, forwarding, address, host):
    (gateway,) = (port for port in article.service_ports if port.owner == EXTERNAL_GATEWAY)
    asking = ["arping", "-c", "3", "-w", "2", "-b", "-I", gateway.device, address]
    output = lab["server-64"].run(asking, check=False).stdout.lower()
    macs = re.findall(r"\[([0-9a-f:]+)\]", output)
    if host is None:
        assert not macs
    else:
        fip = next(
            port
            for port in article.service_ports
            if port.host == host and port.device.startswith("fg-")
        )
        assert set(macs) == {fip.mac}
        assert len(macs) <= 3, "somebody answers twice"


def test_foreign_namespaces_and_ports_are_left_alone(lab, companions, forwarding):
    """This test is the last, because it takes down the hosts of the lab. A foreign device was made
    on them.
    """
    for name, companion in companions.items():
        host = lab[name]
        if name == "server-233" and "stranger" not in run(host, "ip netns"):
            run(host, "ip netns add stranger")
        run(host, "ip netns add qrouter-of-somebody-else")
        assert companion("plan") == []
        plugged = "strange0" in run(host, "ovs-vsctl list-ports br-int")
        assert companion("down")
        names = {line.split()[0] for line in lines(run(host, "ip netns"))}
        assert names == {"qrouter-of-somebody-else"} | ({"stranger"} & names)
        bridges = set(lines(run(host, "ovs-vsctl list-br"))) - {"br-phys"}
        assert bridges == ({"br-int"} if plugged else set())
        assert not host.path("/run/dvr_ryu").exists()
        assert run(host, "sysctl -n net.ipv4.ip_forward") == "0\n"
        assert companion("down") == []
