"""How long a host retains what leaves it. The loopback device stands for a port that is up."""

from __future__ import annotations

import time

from attrs import evolve

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.desired.instances import leased
from dvr_ryu.companion.migration import PATIENCE, Leaving, addressed
from dvr_ryu.topology.loading import Declaration, parse_topology
from dvr_ryu.topology.placement import Retained
from dvr_ryu.topology.view import HostView
from tests.unit.topology.files import topology_file

BEFORE = Declaration(topology_file(), "t.yaml").topology
ARRIVED = """
hosts: {h1: {address: 10.0.0.1}}
networks:
  n: {subnets: [{cidr: 10.1.0.0/24}]}
  m: {subnets: [{cidr: 10.2.0.0/24, dhcp: false}]}
instances:
  a: {host: h1, ports: [{network: n, ip: 10.1.0.5}, {network: m, ips: [10.2.0.5, 10.2.0.6]}]}
  b: {host: h1, network: m}
"""
GONE: dict[str, tuple[str, ...]] = {"another": ("no-such-port",)}


def leaving(seconds_left: float) -> Leaving:
    deadline = time.monotonic() + seconds_left
    devices = {"a": ("no-such-port", "lo"), **GONE}
    return Leaving(Retained(devices, {"two": "no-such-port"}, BEFORE), deadline)


def test_what_is_shut_is_retained_no_more() -> None:
    stays = leaving(PATIENCE).still_here(lambda: False)
    assert stays is not None
    assert stays.retained == Retained({"a": ("no-such-port", "lo")}, {}, BEFORE)
    assert evolve(stays, retained=Retained(GONE, {}, BEFORE)).still_here(lambda: True) is None


def test_the_rest_is_retained_as_long_as_a_controller_is_there_to_shut_it() -> None:
    late = leaving(-1)
    assert late.still_here(lambda: False) is None
    stays = late.still_here(lambda: True)
    assert stays is not None and set(stays.retained.devices) == {"a"}
    assert stays.still_here(lambda: False) == stays


def test_every_address_that_arrives_is_announced_whether_dhcp_gave_it_or_not() -> None:
    view = HostView(parse_topology(ARRIVED, "t.yaml"), "h1")
    found = (*leased(view, {"a"}), *desired_resources(view, "netdev"))
    assert sorted(addressed(found, {"vm-a"})) == [
        ("vm-a", "eth0", "10.1.0.5"),
        ("vm-a", "eth1", "10.2.0.5"),
        ("vm-a", "eth1", "10.2.0.6"),
    ]
