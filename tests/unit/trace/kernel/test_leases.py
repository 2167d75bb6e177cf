"""What DHCP gives an instance: address, MTU and routes, as the topology says."""

from __future__ import annotations

from dvr_ryu.companion.resources.routing.tables import MAIN_TABLE
from tests.unit.trace.kernel.hosts import Host

TOPOLOGY = """\
underlay: {cidr: 10.0.0.0/24, mtu: 1550}
hosts: {h1: {address: 10.0.0.1}}
networks:
  n:
    dhcp_host: h1
    subnets:
      - cidr: 10.1.0.0/24
        host_routes: [{destination: 10.9.0.0/16, nexthop: 10.1.0.12}]
        dhcp_options: {mtu: 1400}
      - {cidr: 10.2.0.0/24, gateway_ip: none}
  m: {dhcp_host: h1, subnets: [{cidr: 10.3.0.0/24}]}
  s: {subnets: [{cidr: 10.4.0.0/24, dhcp: false,
                 host_routes: [{destination: 10.9.0.0/16, nexthop: 10.4.0.12}]}]}
instances:
  a: {host: h1, network: n, ip: 10.1.0.11}
  b: {host: h1, network: n, ip: 10.2.0.12, dhcp_options: {mtu: 1300}}
  c: {host: h1, network: m, ip: 10.3.0.13, dhcp_options: {router: [10.3.0.7, 10.3.0.8]}}
  far: {host: h1, network: m, dhcp_options: {router: 9.9.9.9}}
  e: {host: h1, ports: [{network: m, ip: 10.3.0.15}, {network: n, ips: [10.1.0.15, 10.1.0.16]}]}
  s: {host: h1, network: s, ip: 10.4.0.11}
"""


def routes(host: Host, instance: str) -> list[str]:
    """The routes of table main, as `ip route` lists them."""
    tables = host.kernel.namespace(f"vm-{instance}").tables
    return sorted(str(each) for each in tables if each.table == MAIN_TABLE)


def test_classless_routes_go_before_the_router() -> None:
    assert routes(Host(TOPOLOGY), "a") == [
        "10.1.0.0/24 dev eth0 src 10.1.0.11",
        "10.2.0.0/24 dev eth0",
        "10.9.0.0/16 via 10.1.0.12 dev eth0",
        "default via 10.1.0.1 dev eth0",
    ]


def test_a_subnet_without_a_gateway_gives_no_default_route() -> None:
    host = Host(TOPOLOGY)
    assert routes(host, "b") == ["10.1.0.0/24 dev eth0", "10.2.0.0/24 dev eth0 src 10.2.0.12"]


def test_a_client_takes_the_first_router() -> None:
    assert routes(Host(TOPOLOGY), "c")[-1] == "default via 10.3.0.7 dev eth0"


def test_the_kernel_refuses_a_router_on_no_subnet_here() -> None:
    (connected,) = routes(Host(TOPOLOGY), "far")
    assert connected.startswith("10.3.0.0/24 dev eth0")


def test_only_the_first_nic_has_a_default_route_and_others_have_metrics() -> None:
    assert routes(Host(TOPOLOGY), "e") == [
        "10.1.0.0/24 dev eth1 src 10.1.0.15",
        "10.2.0.0/24 dev eth1 metric 1",
        "10.3.0.0/24 dev eth0 src 10.3.0.15",
        "10.9.0.0/16 via 10.1.0.12 dev eth1 metric 1",
        "default via 10.3.0.1 dev eth0",
    ]


def test_without_dhcp_the_companion_sets_the_same() -> None:
    assert routes(Host(TOPOLOGY), "s") == [
        "10.4.0.0/24 dev eth0 src 10.4.0.11",
        "10.9.0.0/16 via 10.4.0.12 dev eth0",
        "default via 10.4.0.1 dev eth0",
    ]


def test_the_mtu_is_the_option_s_nearest_to_the_client() -> None:
    kernel = Host(TOPOLOGY).kernel
    mtus = {name: kernel.namespace(f"vm-{name}").devices["eth0"].mtu for name in "abcs"}
    assert mtus == {"a": 1400, "b": 1300, "c": 1500, "s": 1500}


def test_the_companion_sets_further_addresses_before_a_lease_comes() -> None:
    net = Host(TOPOLOGY).kernel.namespace("vm-e")
    assert [(each.length, each.ip & 0xFF) for each in net.on("eth1")] == [(32, 16), (24, 15)]


def test_a_connected_subnet_needs_no_route_of_the_lease() -> None:
    text = TOPOLOGY.replace("ips: [10.1.0.15, 10.1.0.16]", "ips: [10.1.0.15, 10.2.0.16]")
    assert "10.2.0.0/24 dev eth1 src 10.2.0.16" in routes(Host(text), "e")
    assert "10.2.0.0/24 dev eth1 metric 1" not in routes(Host(text), "e")
