"""The article's topology: its numbers, and what each of its hosts sees."""

from __future__ import annotations

from pathlib import Path

import pytest

from dvr_ryu.topology import model
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.relations import RELATIONS, Tunnel
from dvr_ryu.topology.topology import Topology
from dvr_ryu.topology.view import HostView

EXAMPLE = Path(__file__).parents[3] / "examples" / "human-defined-dvr.yaml"

QR_BLUE, QR_YELLOW = "fa:16:3e:35:25:42", "fa:16:3e:de:07:79"
TUNNEL_233, TUNNEL_68, TUNNEL_64 = "vxlan-0a002ce9", "vxlan-0a002c44", "vxlan-0a002c40"


@pytest.fixture(scope="module")
def topology() -> Topology:
    return load_topology(EXAMPLE)


@pytest.fixture(scope="module")
def views(topology: Topology) -> dict[str, HostView]:
    return {name: HostView(topology, name) for name in topology.hosts}


def service_port(topology: Topology, owner: str, host: str, network: str) -> model.Port:
    (port,) = (
        port
        for port in topology.service_ports
        if (port.owner, port.host, port.network) == (owner, host, network)
    )
    return port


def test_hosts(topology):
    assert str(topology.controller) == "tcp:10.0.44.1:6653"
    assert {each.name: (each.address, each.dvr_mac) for each in topology.hosts.values()} == {
        "server-233": ("10.0.44.233", "fa:16:3f:02:d7:f2"),
        "server-68": ("10.0.44.68", "fa:16:3f:08:c7:a5"),
        "server-64": ("10.0.44.64", "fa:16:3f:c9:7c:3c"),
    }
    assert topology.underlay.overlay_mtu == 1500


def test_networks(topology):
    assert {each.name: each.vni for each in topology.networks.values()} == {
        "blue": 0x19,
        "yellow": 0x1A,
        "lonely": 0x1B,
        "external": 22,
    }
    assert topology.local_vlans["server-233"].items() >= {"blue": 1, "yellow": 2}.items()
    assert topology.local_vlans["server-68"].items() >= {"blue": 1, "yellow": 2}.items()


def test_router(topology):
    router = topology.routers["router1"]
    ports = {each.network: (each.mac, each.ip, str(each.cidr)) for each in router.interfaces}
    assert ports == {
        "blue": (QR_BLUE, "192.168.10.1", "192.168.10.0/24"),
        "yellow": (QR_YELLOW, "10.10.10.1", "10.10.10.0/24"),
    }
    assert (router.rfp_device, router.fpr_device) == ("rfp-28e4ec01-f", "fpr-28e4ec01-f")
    link = router.fip_link
    assert (link.rfp_ip, link.fpr_ip) == ("169.254.31.28", "169.254.31.29")
    assert link.fpr_mac == "42:55:ae:6e:ab:34"
    assert router.snat_host == "server-64"


def test_floating_addresses(topology):
    bound = {
        ip: (each.network, each.instance, each.router) for ip, each in topology.floating_ips.items()
    }
    assert bound == {
        "2.2.2.4": ("external", None, None),
        "2.2.2.9": ("external", "vm-64", "router1"),
        "2.2.2.100": ("external", "cirros", "router1"),
    }
    assert topology.floating_ips["2.2.2.100"].rule_priority == 57482
    fg = service_port(topology, model.AGENT_GATEWAY, "server-233", "external")
    assert (fg.device, fg.ip, fg.prefixlen, fg.mac) == (
        "fg-9f4709e2-8e",
        "2.2.2.6",
        24,
        "fa:16:3e:e1:15:10",
    )


def test_service_ports(topology):
    assert [(each.owner, each.host, each.network) for each in topology.service_ports] == [
        (model.EXTERNAL_GATEWAY, "server-64", "external"),
        (model.DHCP, "server-233", "blue"),
        (model.DHCP, topology.service_ports[2].host, "lonely"),
        (model.DHCP, "server-68", "yellow"),
        (model.AGENT_GATEWAY, "server-233", "external"),
        (model.AGENT_GATEWAY, "server-64", "external"),
        (model.ROUTER_SNAT, "server-64", "blue"),
        (model.ROUTER_SNAT, "server-64", "yellow"),
        (model.ROUTER_GATEWAY, "server-64", "external"),
    ]
    assert topology.service_ports[2].host in ("server-233", "server-68")
    gateway = service_port(topology, model.EXTERNAL_GATEWAY, "server-64", "external")
    assert gateway.ip == "2.2.2.1"


def test_tunnels(views):
    assert views["server-233"].tunnel == (
        Tunnel("server-68", "10.0.44.68", "fa:16:3f:08:c7:a5", TUNNEL_68),
        Tunnel("server-64", "10.0.44.64", "fa:16:3f:c9:7c:3c", TUNNEL_64),
    )
    assert views["server-233"].planned_ofports("br-tun") == {
        "patch-int": 1,
        TUNNEL_64: 2,
        TUNNEL_68: 3,
    }


def test_local_networks(views):
    """A host has the networks of its ports and routers, and floods to the hosts that have them."""
    floods = {
        host: {each.name: set(each.flood) for each in view.network} for host, view in views.items()
    }
    lonely = {"lonely"}
    assert floods["server-233"].keys() - lonely == {"blue", "yellow", "external"}
    assert floods["server-68"].keys() - lonely == {"blue", "yellow"}
    assert floods["server-64"].keys() == {"blue", "yellow", "external"}
    assert floods["server-233"]["blue"] == {TUNNEL_68, TUNNEL_64}
    assert floods["server-233"]["lonely"] == {TUNNEL_68}
    assert floods["server-233"]["external"] == {TUNNEL_64}


def test_gateways(views):
    blue = ("router1", "blue", 1, QR_BLUE, "192.168.10.1")
    yellow = ("router1", "yellow", 2, QR_YELLOW, "10.10.10.1")
    for host in ("server-233", "server-68"):
        assert [each[:5] for each in views[host].gateway] == [blue, yellow]
        assert [each[:5] for each in views[host].local_gateway] == [blue, yellow]
    assert [each[3:5] for each in views["server-64"].gateway] == [blue[3:], yellow[3:]]
    assert {each.vni for each in views["server-64"].gateway} == {0x19, 0x1A}
    assert [set(each.flood) for each in views["server-233"].gateway] == [{TUNNEL_68, TUNNEL_64}] * 2
    router = views["server-64"].local_routers[0]
    assert {each.port for each in views["server-64"].local_gateway} == {
        each.device for each in router.interfaces
    }


def test_remote_ports(views):
    seen = {(each.name, each.network, each.host): each for each in views["server-233"].remote_port}
    assert seen.keys() == {
        ("vm-68", "yellow", "server-68"),
        ("blue-68", "blue", "server-68"),
        ("vm-64", "blue", "server-64"),
        ("lonely-68", "lonely", "server-68"),
        ("yellow", "yellow", "server-68"),
        ("router1", "blue", "server-64"),
        ("router1", "yellow", "server-64"),
        ("router1", "external", "server-64"),
        ("external", "external", "server-64"),
    } | {key for key in seen if key[:2] == ("lonely", "lonely")} | {
        key for key in seen if key[:2] == ("external", "external")
    }
    peer = seen["vm-68", "yellow", "server-68"]
    assert (peer.ip, peer.vlan, peer.vni, peer.tunnel) == ("10.10.10.4", 2, 0x1A, TUNNEL_68)


def test_routed_ports(topology, views):
    """What other hosts routed gets the gateway's MAC; a network without a router has none."""
    cirros = topology.instances["cirros"]
    routed = {each.name: each for each in views["server-233"].routed_port}
    assert routed.keys() == {"cirros", "vm-233", "blue"}
    assert routed["cirros"].gateway_mac == QR_BLUE
    assert routed["vm-233"].gateway_mac == QR_YELLOW
    assert routed["cirros"].port == cirros.device == ("tap" + cirros.id)[:14]
    on_64 = {(each.name, each.network) for each in views["server-64"].routed_port}
    assert on_64 == {("vm-64", "blue"), ("router1", "blue"), ("router1", "yellow")}


def test_what_is_on_a_host(views):
    assert [each.name for each in views["server-64"].snat_routers] == ["router1"]
    assert views["server-68"].snat_routers == ()
    assert [each.ip for each in views["server-233"].floating_ips] == ["2.2.2.100"]
    assert [each.ip for each in views["server-64"].floating_ips] == ["2.2.2.9"]
    for view in views.values():
        devices = view.planned_ofports("br-int")
        assert devices["patch-tun"] == 1
        assert len(set(devices.values())) == len(devices)
        assert devices.keys() >= {each.port for each in view.local_gateway}
        assert devices.keys() >= {each.device for each in view.local_ports}


def test_every_relation_is_an_attribute_of_the_view(views):
    for view in views.values():
        for name, row_type in RELATIONS.items():
            assert all(type(row) is row_type for row in getattr(view, name))
