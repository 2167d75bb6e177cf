"""Rules and routes, and which sources a namespace believes."""

from __future__ import annotations

import pytest

from dvr_ryu.companion.resources.routing.tables import LOCAL_TABLE, MAIN_TABLE
from dvr_ryu.trace.kernel.addresses import Prefix, ip_number
from dvr_ryu.trace.kernel.outcome import Why
from dvr_ryu.trace.kernel.setup.routes import Route, Rule, Tables, Type
from tests.unit.trace.kernel.hosts import TOPOLOGY, Host, ping, texts


def route(table: int, prefix: str, device: str, via: str | None = None, **more: object) -> Route:
    hop = None if via is None else ip_number(via)
    return Route(table, Prefix.of(prefix), device, hop)._replace(**more)  # type: ignore[arg-type]


TABLES = Tables(
    [
        Rule(32766, MAIN_TABLE),
        Rule(0, LOCAL_TABLE),
        Rule(40000, 16, source=Prefix.of("10.1.0.11")),
        Rule(50000, 17, source=Prefix.of("10.1.0.0/24")),
        Rule(10, 18, iif="fpr-1"),
    ],
    [
        route(MAIN_TABLE, "10.1.0.0/24", "qr-1"),
        route(MAIN_TABLE, "10.1.0.128/25", "qr-2"),
        route(MAIN_TABLE, "10.7.0.0/24", "eth1", metric=1),
        route(MAIN_TABLE, "10.7.0.0/24", "eth0"),
        route(LOCAL_TABLE, "10.1.0.1", "qr-1", type=Type.LOCAL),
        route(16, "default", "rfp-1", "169.254.0.1"),
        route(17, "default", "qr-1", "10.1.0.5"),
        route(18, "default", "fg-1", "2.2.2.1"),
    ],
)


@pytest.mark.parametrize(
    ("destination", "source", "iif", "device"),
    [
        ("10.1.0.7", "10.1.0.11", "qr-1", "qr-1"),
        ("10.1.0.200", "10.1.0.11", "qr-1", "qr-2"),  # the longer prefix
        ("10.1.0.1", "10.1.0.11", "qr-1", "qr-1"),
        ("10.7.0.9", "10.1.0.11", "qr-1", "eth0"),  # the lower metric
        ("8.8.8.8", "10.1.0.11", "qr-1", "rfp-1"),  # the lower priority
        ("8.8.8.8", "10.1.0.12", "qr-1", "qr-1"),
        ("8.8.8.8", "10.5.0.12", "qr-1", None),
        ("10.1.0.7", "10.1.0.11", "fpr-1", "fg-1"),
    ],
)
def test_the_first_rule_with_a_route_counts(
    destination: str, source: str, iif: str, device: str | None
) -> None:
    found = TABLES.look_up(ip_number(destination), ip_number(source), iif)
    assert (found and found.route.device) == device


def test_a_bound_device_leaves_out_other_routes() -> None:
    found = TABLES.look_up(ip_number("10.7.0.9"), oif="eth1")
    assert found is not None and found.route.device == "eth1"


def test_rules_and_routes_print_as_iproute2_does() -> None:
    assert [str(rule) for rule in TABLES.rules] == [
        "0: from all lookup local",
        "10: from all iif fpr-1 lookup 18",
        "32766: from all lookup main",
        "40000: from 10.1.0.11 lookup 16",
        "50000: from 10.1.0.0/24 lookup 17",
    ]
    assert str(route(16, "default", "rfp-1", "169.254.0.1")) == "default via 169.254.0.1 dev rfp-1"
    local = route(LOCAL_TABLE, "10.1.0.1", "qr-1", type=Type.LOCAL, source=ip_number("10.1.0.1"))
    assert str(local) == "local 10.1.0.1 dev qr-1 src 10.1.0.1"


# Sources ------------------------------------------------------------------------------------------


def test_a_router_believes_no_packet_from_its_own_address() -> None:
    outcome = Host().receive("qrouter", "qr-", ping("10.2.0.1", "10.1.0.12"), "10.1.0.1")
    assert outcome.dropped[0].why is Why.MARTIAN and outcome.frames == ()


@pytest.mark.parametrize("source", ["0.0.0.0", "127.0.0.1", "224.0.0.1", "255.255.255.255"])
def test_no_machine_sends_from_such_addresses(source: str) -> None:
    outcome = Host().receive("qrouter", "qr-", ping(source, "10.1.0.12"), "10.2.0.1")
    assert outcome.dropped[0].why is Why.MARTIAN


@pytest.mark.parametrize(
    ("instance", "rp_filter", "source", "why"),
    [
        ("a", 1, "10.9.9.9", None),  # the default route leads there, by the same device
        ("d", 0, "10.1.0.11", None),
        ("e", 0, "10.2.0.99", None),  # of several NICs each is loose: there is some way back
        ("e", 1, "10.2.0.99", None),
        ("e", 0, "10.1.0.15", Why.MARTIAN),
    ],
)
def test_rp_filter(instance: str, rp_filter: int, source: str, why: Why | None) -> None:
    host = Host(host="h2" if instance == "d" else "h1", inherited={"rp_filter": rp_filter})
    own = next(iter(host.kernel.namespace(f"vm-{instance}").on("eth0"))).ip
    packet = ping(source, "0.0.0.0").having(nw_dst=own)
    outcome = host.receive(f"vm-{instance}", "eth0", packet)
    assert [each.why for each in outcome.dropped] == ([] if why is None else [why])


def test_a_strict_rp_filter_believes_only_the_way_back() -> None:
    text = TOPOLOGY.replace("dhcp: false", "dhcp: false, gateway_ip: none")
    host = Host(text, "h2", inherited={"rp_filter": 1})
    outcome = host.receive("vm-d", "eth0", ping("8.8.8.8", "10.2.0.14"))
    assert outcome.dropped[0].why is Why.REVERSE_PATH
    assert outcome.dropped[0].text == "rp_filter=1: the way back to 8.8.8.8 is unknown"


def test_a_strict_rp_filter_does_not_believe_another_device() -> None:
    host = Host(inherited={"rp_filter": 1})
    outcome = host.receive("", "underlay", ping("2.2.2.99", "10.0.0.1"))
    assert outcome.dropped[0].text.startswith("rp_filter=1: the way back to 2.2.2.99 is 2.2.2.0/24")
    assert Host().receive("", "underlay", ping("2.2.2.99", "10.0.0.1")).delivered


def test_what_a_step_tells_of_a_floating_address_s_way() -> None:
    host = Host()
    steps = texts(host.receive("qrouter", "qr-", ping("10.1.0.11", "8.8.8.8"), "10.1.0.1"))
    priority = host.view.topology.floating_ips["2.2.2.101"].rule_priority
    fpr = host.view.topology.routers["r"].fip_link.fpr_ip
    rfp = host.device("qrouter", "rfp-")
    assert steps[:2] == [
        f"ip rule: {priority}: from 10.1.0.11 lookup 16",
        f"ip route, table 16: default via {fpr} dev {rfp}",
    ]
    assert steps[-1].startswith(f"ip neigh: {fpr} dev {rfp} lladdr ")


def test_the_kernel_s_decision_is_there_to_ask_for() -> None:
    host = Host()
    found = host.kernel.route("vm-a", "8.8.8.8")
    assert found is not None and str(found.route) == "default via 10.1.0.1 dev eth0"
    assert host.kernel.route(host.namespace("qrouter"), "8.8.8.8", "10.7.7.7", "qr-1") is None
