"""The DHCP answers to instances, as resources: routes, gateways, options of a subnet and of an
instance.
"""

from __future__ import annotations

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.dhcp.leases import LeaseBook
from dvr_ryu.companion.resources.dhcp.lines import DhcpHost, DhcpOption
from dvr_ryu.companion.resources.dhcp.renewal import Renewal
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.companion.resources.routing.tables import MAIN_TABLE
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.view import HostView

TOPOLOGY = """
hosts:
  h1: {address: 10.0.0.1}
  h2: {address: 10.0.0.2}
networks:
  n:
    dhcp_host: h1
    subnets:
      - cidr: 10.1.0.0/24
        host_routes: [{destination: 10.9.0.0/16, nexthop: 10.1.0.9}]
        dhcp_options: {domain-name: n.example, "224": 7}
  bare: {dhcp_host: h1, subnets: [{cidr: 10.2.0.0/24, gateway_ip: null}]}
  still:
    subnets:
      - cidr: 10.3.0.0/24
        dhcp: false
        gateway_ip: none
        host_routes: [{destination: 0.0.0.0/0, nexthop: 10.3.0.9}]
instances:
  a: {host: h1, network: n, ip: 10.1.0.5}
  b: {host: h2, network: n, ip: 10.1.0.6, dhcp_options: {domain-name: b.example}}
  c: {host: h1, network: bare, ip: 10.2.0.5}
  d: {host: h1, network: still, ip: 10.3.0.5}
"""


def on(host: str, text: str = TOPOLOGY) -> tuple[Resource, ...]:
    return desired_resources(HostView(parse_topology(text, "t.yaml"), host), "system")


def options_of(found: tuple[Resource, ...], tag: str) -> dict[str, str]:
    return {
        resource.option: resource.value
        for resource in found
        if isinstance(resource, DhcpOption) and resource.tag.startswith(tag)
    }


def server(found: tuple[Resource, ...], subnet: str) -> Process:
    (process,) = (
        resource
        for resource in found
        if isinstance(resource, Process)
        and any(f"set:subnet-{subnet}," in word for word in resource.argv)
    )
    return process


def test_routes_have_the_default_one_among_them() -> None:
    routes = "10.9.0.0/16,10.1.0.9,0.0.0.0/0,10.1.0.1"
    assert options_of(on("h1"), "subnet-10.1.0.0") == {
        "option:router": "10.1.0.1",
        "option:domain-name": '"n.example"',
        "option:classless-static-route": routes,
        "224": "7b",
        "249": routes,
    }


def test_the_other_subnets_of_a_network_are_on_the_wire() -> None:
    text = TOPOLOGY.replace("  bare:", "      - cidr: 10.4.0.0/24\n  bare:")
    routes = options_of(on("h1", text), "subnet-10.4.0.0")["option:classless-static-route"]
    assert routes == "10.1.0.0/24,0.0.0.0,0.0.0.0/0,10.4.0.1"


def test_without_a_gateway_dnsmasq_is_kept_from_naming_itself() -> None:
    assert options_of(on("h1"), "subnet-10.2.0.0") == {"option:router": ""}


def test_without_dhcp_the_routes_are_set() -> None:
    ways = [
        resource
        for resource in on("h1")
        if isinstance(resource, Route) and resource.namespace == "vm-d"
    ]
    assert ways == [Route("vm-d", MAIN_TABLE, "default", "10.3.0.9", "eth0")]


def test_what_an_instance_is_told_has_a_tag_by_its_mac() -> None:
    found = on("h1")
    assert options_of(found, "port-") == {"option:domain-name": '"b.example"'}
    (tag,) = {
        resource.tag
        for resource in found
        if isinstance(resource, DhcpOption) and "port" in resource.tag
    }
    (mac,) = (
        resource.mac
        for resource in found
        if isinstance(resource, DhcpHost) and resource.name == "b"
    )
    assert f"--dhcp-mac=set:{tag},{mac}" in server(found, "10.1.0.0").argv


def test_a_server_leases_as_many_addresses_as_there_are() -> None:
    text = TOPOLOGY.replace("10.1.0.0/24", "10.1.0.0/16")
    assert "--dhcp-lease-max=65536" in server(on("h1", text), "10.1.0.0").argv


def test_a_server_has_an_address_in_each_subnet_that_it_serves() -> None:
    text = TOPOLOGY.replace(
        "  bare:", "      - cidr: 10.4.0.0/24\n      - {cidr: 10.5.0.0/24, dhcp: false}\n  bare:"
    )
    one, two = (
        {
            resource.address
            for resource in on("h1", each)
            if isinstance(resource, Address) and resource.namespace.startswith("qdhcp-")
        }
        for each in (TOPOLOGY, text)
    )
    (further,) = two - one
    assert one < two and further.startswith("10.4.0.") and further.endswith("/24")


def test_of_a_range_nobody_gets_what_the_topology_names() -> None:
    text = TOPOLOGY + "routers: {r: {interfaces: [{network: n, ip: 10.1.0.2}]}}"
    for old, new in (
        ("{domain-name: n", "{domain-search: n.example}\n        dhcp_ranges: {domain-name: n"),
        ('{domain-name: n.example, "224": 7}', "[{start: 10.1.0.1, end: 10.1.0.7}]"),
        ("ip: 10.1.0.6,", "ip: 10.1.0.6, allowed_address_pairs: [{ip: 10.1.0.7}],"),
    ):
        text = text.replace(old, new)
    found = on("h1", text)
    paired = {
        resource.ip: (resource.mac, resource.name)
        for resource in found
        if isinstance(resource, DhcpHost) and resource.mac.startswith("02:00:")
    }
    nobody = "02:00:0a:01:00:"
    assert paired == {f"10.1.0.{last}": (f"{nobody}0{last}", "") for last in (1, 2, 7)}
    argv = server(found, "10.1.0.0").argv
    assert [word for word in argv if word.startswith("--dhcp-range=")][:2] == [
        f"--dhcp-range=set:subnet-10.1.0.0,{ends},255.255.255.0,86400s"
        for ends in ("10.1.0.0,static", "tag:!known,10.1.0.1,10.1.0.7")
    ]
    assert "--no-ping" not in argv and "--no-ping" in server(found, "10.2.0.0").argv
    (book,) = (
        resource
        for resource in found
        if isinstance(resource, LeaseBook) and resource.network == "n"
    )
    assert (book.host, book.ranges) == ("h1", (("10.1.0.1", "10.1.0.7"),))


def test_distributed_each_host_has_the_same_server_and_its_own_range() -> None:
    text = TOPOLOGY.replace("  n:\n    dhcp_host: h1\n", "  n:\n    dhcp: distributed\n").replace(
        "        host_routes: [{destination: 10.9",
        "        dhcp_ranges: [{start: 10.1.0.8, end: 10.1.0.9, host: h2}]\n"
        "        host_routes: [{destination: 10.9",
    )
    one, two = (on(host, text) for host in ("h1", "h2"))
    assert server(one, "10.1.0.0").name == server(two, "10.1.0.0").name
    alike = (Address, DhcpOption, Namespace)
    namespace = server(one, "10.1.0.0").namespace
    for kind in alike:
        resources_of = [
            {
                resource
                for resource in found
                if isinstance(resource, kind) and namespace in (resource.key)
            }
            for found in (one, two)
        ]
        assert resources_of[0] == resources_of[1] != set()
    assert any("10.1.0.0,static" in word for word in server(one, "10.1.0.0").argv)
    assert any("10.1.0.8,10.1.0.9" in word for word in server(two, "10.1.0.0").argv)
    books = [
        resource
        for resource in (*one, *two)
        if isinstance(resource, LeaseBook) and resource.network == "n"
    ]
    assert [(book.host, len(book.ranges)) for book in books] == [("h1", 0), ("h2", 1)]


def test_cards_have_clients_of_their_own_whatever_instances_are_called() -> None:
    text = """
hosts: {h1: {address: 10.0.0.1}}
networks: {n: {subnets: [{cidr: 10.1.0.0/24}]}, m: {subnets: [{cidr: 10.2.0.0/24}]}}
instances:
  web: {host: h1, ports: [{network: n}, {network: m}]}
  web-eth1: {host: h1, network: n}
  web.eth1: {host: h1, network: n}
  web_eth1: {host: h1, network: n}
"""
    clients = [resource for resource in on("h1", text) if isinstance(resource, Process)]
    assert len([each for each in clients if each.argv[0] == "udhcpc"]) == 5


def test_who_is_told_something_else_asks_again_once_it_is_said():
    def renewals(text: str) -> dict[str, Renewal]:
        found = (*on("h1", text), *on("h2", text))
        return {resource.namespace: resource for resource in found if isinstance(resource, Renewal)}

    before = renewals(TOPOLOGY)
    for old, new, asking in (
        ("nexthop: 10.1.0.9", "nexthop: 10.1.0.8", {"vm-a", "vm-b"}),
        ("b.example", "c.example", {"vm-b"}),
        ("gateway_ip: null", "gateway_ip: 10.2.0.9", {"vm-c"}),
        ("gateway_ip: none", "gateway_ip: 10.3.0.1", set()),
    ):
        after = renewals(TOPOLOGY.replace(old, new))
        assert {name for name in before if after[name] != before[name]} == asking
    options = {resource.key for resource in on("h1") if isinstance(resource, DhcpOption)}
    client, *awaited = before["vm-a"].after
    assert awaited and options.issuperset(awaited) and client == ("process", "udhcpc-a")
    assert before["vm-b"].after == (("process", "udhcpc-b"),)  # its server is on another host


def test_who_has_another_mac_or_a_server_elsewhere_asks_again():
    def renewals(text: str) -> dict[str, Renewal]:
        found = (*on("h1", text), *on("h2", text))
        return {resource.namespace: resource for resource in found if isinstance(resource, Renewal)}

    before = renewals(TOPOLOGY)
    moved = renewals(TOPOLOGY.replace("dhcp_host: h1", "dhcp_host: h2", 1))
    assert {name: each.server for name, each in before.items()}["vm-a"] == "h1"
    assert {name for name in before if moved[name] != before[name]} == {"vm-a", "vm-b"}
    readdressed = renewals(TOPOLOGY.replace("a: {", 'a: {mac: "fa:16:3e:00:00:77", ', 1))
    assert {name for name in before if readdressed[name] != before[name]} == {"vm-a"}
