"""The announcements of instances that arrive on a host."""

from __future__ import annotations

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.desired.instances import leased
from dvr_ryu.companion.upkeep.arrivals import addressed
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.view import HostView

ARRIVED = """
hosts: {h1: {address: 10.0.0.1}}
networks:
  n: {subnets: [{cidr: 10.1.0.0/24}]}
  m: {subnets: [{cidr: 10.2.0.0/24, dhcp: false}]}
instances:
  a: {host: h1, ports: [{network: n, ip: 10.1.0.5}, {network: m, ips: [10.2.0.5, 10.2.0.6]}]}
  b: {host: h1, network: m}
"""


def test_every_address_that_arrives_is_announced_whether_dhcp_gave_it_or_not() -> None:
    view = HostView(parse_topology(ARRIVED, "t.yaml"), "h1")
    found = (*leased(view, {"a"}), *desired_resources(view, "netdev"))
    assert sorted(addressed(found, {"vm-a"})) == [
        ("vm-a", "eth0", "10.1.0.5"),
        ("vm-a", "eth1", "10.2.0.5"),
        ("vm-a", "eth1", "10.2.0.6"),
    ]
