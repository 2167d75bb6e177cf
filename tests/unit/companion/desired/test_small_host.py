"""The resources of a host of a small topology: one instance, and nothing pinned."""

from __future__ import annotations

from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.dhcp.lines import DhcpHost, DhcpOption
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.companion.resources.routing.tables import MAIN_TABLE
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.view import HostView

SMALL = """
hosts:
  h1: {{address: 10.0.0.1}}
networks:
  n: {{subnets: [{{cidr: 10.1.0.0/24, dhcp: {dhcp}, gateway_ip: 10.1.0.1, dns: [9.9.9.9]}}]}}
instances:
  a: {{host: h1, network: n, ip: 10.1.0.5}}
"""


def small(dhcp: str) -> tuple[Resource, ...]:
    topology = parse_topology(SMALL.format(dhcp=dhcp), "small.yaml")
    return desired_resources(HostView(topology, "h1"), "system")


def test_without_dhcp_the_address_and_the_way_out_are_set():
    found = small("false")
    assert not [resource for resource in found if isinstance(resource, (Process, DhcpHost))]
    assert Address("vm-a", "eth0", "10.1.0.5/24", "10.1.0.255") in found
    assert Route("vm-a", MAIN_TABLE, "default", "10.1.0.1", "eth0") in found


def test_dhcp_announces_name_servers():
    options = {
        resource.option: resource.value
        for resource in small("true")
        if isinstance(resource, DhcpOption)
    }
    assert options == {"option:router": "10.1.0.1", "option:dns-server": "9.9.9.9"}


def test_without_a_controller_bridges_have_none():
    assert all(
        not resource.controller for resource in small("true") if isinstance(resource, Bridge)
    )


def test_the_kernels_datapath_keeps_its_checksums():
    devices = [resource for resource in small("false") if isinstance(resource, Device)]
    assert {resource.tx_checksum for resource in devices if resource.name != "lo"} == {True}
    (bridge, _) = (resource for resource in small("false") if isinstance(resource, Bridge))
    assert bridge.settings["datapath_type"] == "system"
