"""The resources of the article's hosts, number for number, and properties of any host's."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from attrs import evolve

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.dhcp.lines import DhcpHost, DhcpOption
from dvr_ryu.companion.resources.namespace import ROOT, Namespace
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.companion.resources.process import Process, pid_file
from dvr_ryu.companion.resources.resource import Key, Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import Neighbour, ProxyNeighbour
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.companion.resources.routing.rule import Rule
from dvr_ryu.companion.resources.routing.tables import MAIN_TABLE
from dvr_ryu.companion.resources.sysctl import RestoredSysctl, Sysctl
from dvr_ryu.companion.resources.veth_pair import VethPair
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

ROUTER = "qrouter-28e4ec01-f0a1-4c0e-9c2b-4f8a5d7e6b10"
SNAT = "snat-28e4ec01-f0a1-4c0e-9c2b-4f8a5d7e6b10"
FIP = "fip-ccf351c9-826c-4d93-9dd4-625302bf3051"
RFP, FPR, FG = "rfp-28e4ec01-f", "fpr-28e4ec01-f", "fg-9f4709e2-8e"
FPR_INDEX = 2852003613
"""169.254.31.29 as a number: the table of packets from fpr-."""
HOSTS = ("server-233", "server-68", "server-64")


@pytest.fixture(scope="module")
def hosts(article: Topology) -> Mapping[str, tuple[Resource, ...]]:
    return {name: desired_resources(HostView(article, name), "netdev") for name in HOSTS}


@pytest.fixture(scope="module")
def on_233(hosts) -> frozenset[Resource]:
    return frozenset(
        resource for resource in hosts["server-233"] if resource.kind not in ("bridge", "port")
    )


def in_namespace(found, kind, namespace):
    return {
        resource
        for resource in found
        if isinstance(resource, kind) and resource.namespace == namespace
    }


def bridge_port(found, name):
    (port,) = (
        resource for resource in found if isinstance(resource, OvsPort) and resource.name == name
    )
    return port


# Properties of any host --------------------------------------------------------------------------


@pytest.mark.parametrize("host", HOSTS)
def test_every_resource_stands_once_and_what_it_needs_is_a_resource(hosts, host):
    keys: list[Key] = [resource.key for resource in hosts[host]]
    assert len(set(keys)) == len(keys)
    needed = {
        need for resource in hosts[host] for need in (resource.container, *resource.after) if need
    }
    assert needed <= set(keys)


@pytest.mark.parametrize("host", HOSTS)
def test_devices_have_the_ports_and_namespaces_of_the_view(hosts, article, host):
    view = HostView(article, host)
    ports = {resource.name: resource for resource in hosts[host] if isinstance(resource, OvsPort)}
    for bridge in ("br-int", "br-tun"):
        requested = {
            name: int(port.interface["ofport_request"])
            for name, port in ports.items()
            if port.bridge == bridge
        }
        assert requested == view.planned_ofports(bridge)
    for port in view.local_ports:
        assert ports[port.device].tag == view.local_vlans[port.network]
        assert ports[port.device].interface["external_ids:attached-mac"] == port.mac


def test_resources_do_not_depend_on_the_order_of_the_file(article):
    def turned(mapping):
        return dict(reversed(mapping.items()))

    backwards = evolve(
        article,
        hosts=turned(article.hosts),
        networks=turned(article.networks),
        instances=turned(article.instances),
        floating_ips=turned(article.floating_ips),
        service_ports=tuple(reversed(article.service_ports)),
    )
    for host in HOSTS:
        forth = {
            resource.key: resource
            for resource in desired_resources(HostView(article, host), "netdev")
        }
        back = {
            resource.key: resource
            for resource in desired_resources(HostView(backwards, host), "netdev")
        }
        assert forth == back


# The article -------------------------------------------------------------------------------------


def test_bridges(hosts):
    bridges = {
        resource.name: resource for resource in hosts["server-233"] if isinstance(resource, Bridge)
    }
    assert set(bridges) == {"br-int", "br-tun"}
    for name, bridge in bridges.items():
        assert bridge.settings["other_config:dp-desc"] == f"server-233/{name}"
        assert bridge.settings["fail_mode"] == "secure"
        assert bridge.settings["datapath_type"] == "netdev"
        assert bridge.controller == {
            "target": "tcp:10.0.44.1:6653",
            "connection_mode": "out-of-band",
            "max_backoff": "1000",
        }
    assert len({bridge.settings["other_config:hwaddr"] for bridge in bridges.values()}) == 2


def test_tunnels(hosts):
    tunnel = bridge_port(hosts["server-233"], "vxlan-0a002c44")
    assert (tunnel.bridge, tunnel.tag) == ("br-tun", None)
    assert tunnel.interface == {
        "type": "vxlan",
        "ofport_request": "3",
        "options:local_ip": "10.0.44.233",
        "options:remote_ip": "10.0.44.68",
        "options:key": "flow",
        "options:df_default": "true",
    }


def test_patch(hosts):
    for bridge, name, peer in (
        ("br-int", "patch-tun", "patch-int"),
        ("br-tun", "patch-int", "patch-tun"),
    ):
        patch = bridge_port(hosts["server-68"], name)
        assert patch.bridge == bridge
        assert patch.interface == {"type": "patch", "ofport_request": "1", "options:peer": peer}


def test_namespaces(hosts):
    def names(host):
        return {
            resource.name.split("-")[0]
            for resource in hosts[host]
            if isinstance(resource, Namespace)
        }

    assert names("server-233") == {"vm", "qdhcp", "qrouter", "fip"}
    assert names("server-68") == {"vm", "qdhcp", "qrouter"}
    assert names("server-64") == {"vm", "qrouter", "fip", "snat"}


def test_router_devices(on_233):
    addresses = in_namespace(on_233, Address, ROUTER)
    assert {(resource.address, resource.broadcast) for resource in addresses} == {
        ("192.168.10.1/24", "192.168.10.255"),
        ("10.10.10.1/24", "10.10.10.255"),
        ("169.254.31.28/31", None),
        ("2.2.2.100/32", "2.2.2.100"),
    }
    macs = {resource.mac for resource in in_namespace(on_233, Device, ROUTER)}
    assert {"fa:16:3e:35:25:42", "fa:16:3e:de:07:79"} <= macs
    assert VethPair(ROUTER, RFP, FIP, FPR) in on_233


def test_router_rules_and_tables(on_233):
    rules = in_namespace(on_233, Rule, ROUTER)
    assert {(resource.priority, resource.source, resource.table) for resource in rules} == {
        (57482, "192.168.10.222", 16),
        (3232238081, "192.168.10.0/24", 3232238081),
        (168430081, "10.10.10.0/24", 168430081),
        ((1 << 32) - 1, None, 17),
    }
    routes = in_namespace(on_233, Route, ROUTER)
    assert Route(ROUTER, 16, "default", "169.254.31.29", RFP) in routes
    assert not [resource for resource in routes if resource.table == MAIN_TABLE]


def test_a_floating_address_is_used_only_once_it_is_translated(on_233):
    (rule,) = (resource for resource in in_namespace(on_233, Rule, ROUTER) if resource.table == 16)
    assert {resource.key for resource in in_namespace(on_233, Chain, ROUTER)} <= set(rule.after)


def test_router_nat(on_233):
    chains = {resource.name: resource.rules for resource in in_namespace(on_233, Chain, ROUTER)}
    dnat = ("-d 2.2.2.100/32 -j DNAT --to-destination 192.168.10.222",)
    assert chains["neutron-l3-agent-PREROUTING"] == dnat
    assert chains["neutron-l3-agent-OUTPUT"] == dnat
    assert chains["neutron-l3-agent-float-snat"] == (
        "-s 192.168.10.222/32 -j SNAT --to-source 2.2.2.100",
    )
    assert chains["neutron-l3-agent-POSTROUTING"] == (
        f"! -o {RFP} -m conntrack ! --ctstate DNAT -j ACCEPT",
    )
    assert chains["neutron-l3-agent-snat"][0] == "-j neutron-l3-agent-float-snat"


@pytest.mark.parametrize("host", HOSTS)
def test_every_hosts_router_knows_all_that_is_on_its_networks(hosts, article, host):
    neighbours = {
        (resource.ip, resource.mac) for resource in in_namespace(hosts[host], Neighbour, ROUTER)
    }
    on_networks = {
        (port.ip, port.mac)
        for port in HostView(article, host).all_ports
        if port.network in ("blue", "yellow")
    }
    links = {pair for pair in neighbours if pair[0].startswith("169.254.")}
    assert neighbours - links == on_networks
    assert len(links) == (0 if host == "server-68" else 1)


def test_fip_namespace(on_233):
    addresses = {resource.address for resource in in_namespace(on_233, Address, FIP)}
    assert addresses == {"2.2.2.6/24", "169.254.31.29/31"}
    assert {
        (each.name, each.mac, each.mtu) for each in in_namespace(on_233, Device, FIP)
    } == {
        ("lo", None, None),
        (FG, "fa:16:3e:e1:15:10", 1500),
        (FPR, "42:55:ae:6e:ab:34", 1500),
    }  # fmt: skip
    assert {
        resource for resource in in_namespace(on_233, Route, FIP) if resource.table == MAIN_TABLE
    } == {
        Route(FIP, MAIN_TABLE, "default", "2.2.2.1", FG),
        Route(FIP, MAIN_TABLE, "2.2.2.9/32", "169.254.31.28", FPR),
        Route(FIP, MAIN_TABLE, "2.2.2.100/32", "169.254.31.28", FPR),
    }


def test_only_the_host_of_an_instance_answers_for_its_floating_address(hosts):
    answered = {
        host: {resource.ip for resource in hosts[host] if isinstance(resource, ProxyNeighbour)}
        for host in HOSTS
    }
    assert answered == {"server-233": {"2.2.2.100"}, "server-68": set(), "server-64": {"2.2.2.9"}}
    assert Sysctl(FIP, f"net/ipv4/conf/{FG}/proxy_arp", "0", None) in hosts["server-233"]


def test_what_a_router_sends_to_another_hosts_floating_address_leaves_the_host(on_233):
    assert {
        resource for resource in in_namespace(on_233, Route, FIP) if resource.table == FPR_INDEX
    } == {
        Route(FIP, FPR_INDEX, "2.2.2.0/24", None, FG),
        Route(FIP, FPR_INDEX, "default", "2.2.2.1", FG),
        Route(FIP, FPR_INDEX, "2.2.2.100/32", "169.254.31.28", FPR),
    }
    own = Rule(FIP, 32765, 17, iif="lo")
    assert in_namespace(on_233, Rule, FIP) == {Rule(FIP, 32765, FPR_INDEX, iif=FPR), own}


def test_what_a_namespace_itself_sends_goes_the_same_ways(on_233):
    assert {resource for resource in in_namespace(on_233, Route, FIP) if resource.table == 17} == {
        Route(FIP, 17, "2.2.2.0/24", None, FG),
        Route(FIP, 17, "default", "2.2.2.1", FG),
        Route(FIP, 17, "2.2.2.100/32", "169.254.31.28", FPR),
    }
    own = Route(ROUTER, 17, "default", "169.254.31.29", RFP, source="2.2.2.100")
    assert own in in_namespace(on_233, Route, ROUTER)
    assert own.describe().endswith(f" via 169.254.31.29 dev {RFP} table 17 src 2.2.2.100")


def test_snat_is_on_its_host_only(hosts, article):
    assert not in_namespace(hosts["server-233"], Device, SNAT)
    found = hosts["server-64"]
    gateway = article.routers["router1"].gateway_port
    assert gateway is not None
    assert Route(SNAT, MAIN_TABLE, "default", "2.2.2.1", gateway.device) in found
    chains = {resource.name: resource.rules for resource in in_namespace(found, Chain, SNAT)}
    assert chains["neutron-l3-agent-snat"] == (
        "-j neutron-l3-agent-float-snat",
        f"-o {gateway.device} -j SNAT --to-source {gateway.ip} --random-fully",
    )
    prefixes = {resource.name.split("-")[0] for resource in in_namespace(found, Device, SNAT)}
    assert prefixes == {"lo", "sg", "qg"}


def test_external_gateway_is_in_the_hosts_own_namespace(hosts):
    gateways = {
        host: [
            resource
            for resource in hosts[host]
            if isinstance(resource, Address) and not resource.namespace
        ]
        for host in HOSTS
    }
    assert [resource.address for resource in gateways["server-64"]] == ["2.2.2.1/24"]
    assert not gateways["server-233"] and not gateways["server-68"]
    assert RestoredSysctl(ROOT, "net/ipv4/ip_forward", "1") in hosts["server-64"]
    assert not [
        resource for resource in hosts["server-233"] if isinstance(resource, RestoredSysctl)
    ]


def test_instance(on_233, hosts, article):
    cirros = article.instances["cirros"]
    assert VethPair("vm-cirros", "eth0", ROOT, cirros.device) in on_233
    assert in_namespace(on_233, Device, "vm-cirros") >= {
        Device("vm-cirros", "eth0", "fa:16:3e:ff:aa:66", 1500, False, ())
    }
    port = bridge_port(hosts["server-233"], cirros.device)
    assert port.tag == 1 and "type" not in port.interface
    # Its address comes by DHCP, not from us.
    assert not in_namespace(on_233, Address, "vm-cirros")
    (client,) = in_namespace(on_233, Process, "vm-cirros")
    assert client.argv[0] == "udhcpc" and "192.168.10.222" in client.argv


def test_dhcp(hosts, article):
    namespace = f"qdhcp-{article.networks['blue'].id}"
    served = {(f.mac, f.ip) for f in in_namespace(hosts["server-233"], DhcpHost, namespace)}
    blue = [port for port in article.instances.values() if port.network == "blue"]
    assert served == {(port.mac, port.ip) for port in blue}
    (server,) = in_namespace(hosts["server-233"], Process, namespace)
    arguments = set(server.argv)
    tag = "subnet-192.168.10.0"
    assert f"--dhcp-range=set:{tag},192.168.10.0,static,255.255.255.0,86400s" in arguments
    assert in_namespace(hosts["server-233"], DhcpOption, namespace) == {
        DhcpOption(namespace, tag, "option:router", "192.168.10.1")
    }
    assert "--dhcp-option-force=option:mtu,1500" in arguments
    assert {"--port=0", "--no-resolv"} <= arguments
    assert f"--pid-file={pid_file(server.name)}" in arguments
    assert not in_namespace(hosts["server-68"], DhcpHost, namespace)


@pytest.mark.parametrize("tunnel_type, mtu", [("vxlan", 1500), ("geneve", 1500), ("gre", 1508)])
def test_the_type_of_the_tunnels_is_in_their_ports_and_in_every_mtu(article, tunnel_type, mtu):
    topology = evolve(article, underlay=evolve(article.underlay, tunnel_type=tunnel_type))
    found = desired_resources(HostView(topology, "server-233"), "netdev")
    tunnels = [f for f in found if isinstance(f, OvsPort) and "options:remote_ip" in f.interface]
    assert {(port.name, port.interface["type"]) for port in tunnels} == {
        (f"{tunnel_type}-0a002c44", tunnel_type),
        (f"{tunnel_type}-0a002c40", tunnel_type),
    }
    inside = {f.mtu for f in found if isinstance(f, Device) and f.namespace and f.name != "lo"}
    assert inside == {mtu}
    for server in (f for f in found if isinstance(f, Process) and f.argv[0] == "dnsmasq"):
        assert f"--dhcp-option-force=option:mtu,{mtu}" in server.argv


@pytest.mark.parametrize(
    "datapath, mtu, wired",
    [("netdev", 1550, True), ("netdev", 9000, True), ("system", 9000, False)],
)
def test_the_userspace_datapath_has_wires_into_namespaces(article, datapath, mtu, wired):
    topology = evolve(article, underlay=evolve(article.underlay, mtu=mtu))
    for host in HOSTS:
        found = desired_resources(HostView(topology, host), datapath)
        by_key = {resource.key: resource for resource in found}
        assert {need for f in found for need in (f.container, *f.after) if need} <= by_key.keys()
        moved = [f for f in found if isinstance(f, OvsPort) and f.namespace.startswith(("q", "s"))]
        assert moved and {port.over_device for port in moved} == {wired}
        for port in moved:
            device = by_key["device", port.namespace, port.name]
            assert isinstance(device, Device) and device.mtu == mtu - 50
            container = by_key[device.container]
            assert isinstance(container, VethPair if wired else OvsPort)


def test_what_hands_frames_to_the_switch_is_as_wide_as_the_underlay(hosts, article):
    """So the router, not the wire, rejects packets that are too long."""
    outer = [f for f in hosts["server-233"] if isinstance(f, Device) and not f.namespace]
    assert outer and {f.mtu for f in outer} == {article.underlay.mtu}
    (gateway,) = (f for f in hosts["server-64"] if isinstance(f, OvsPort) and f.name[:3] == "gw-")
    assert gateway.interface["mtu_request"] == "1500"
