"""Foreign items on our bridges: the lines about them, and the detection of foreign flows."""

from __future__ import annotations

import pytest

from dvr_ryu.companion.desired.bridges import beside_adopted, datapath_of
from dvr_ryu.companion.foreign import ForeignItem, lines
from dvr_ryu.companion.providers.ovs_ofctl.flows import cookie_of, identity
from dvr_ryu.companion.resources.openvswitch.bridge import Bridge
from dvr_ryu.companion.resources.openvswitch.ofctl import OWN_DEFAULT
from dvr_ryu.companion.resources.openvswitch.port import OvsPort
from dvr_ryu.topology.loading import parse_topology

MAC = "other_config:hwaddr"


def bridge(datapath_type: str, mac: str | None = None) -> Bridge:
    settings = {"datapath_type": datapath_type, "fail_mode": "secure"}
    return Bridge("br-int", settings if mac is None else {**settings, MAC: mac}, {})


FILE = """
hosts: {h1: {address: 10.0.0.1, local_vlans: {blue: 7, open: 9}}}
networks:
  blue: {subnets: [{cidr: 10.1.0.0/24}]}
  open: {subnets: [{cidr: 10.2.0.0/24, dhcp_ranges: [{start: 10.2.0.5, end: 10.2.0.9}]}]}
instances: {a: {host: h1, ports: [{network: blue}, {network: open}]}}
"""


def test_a_tag_that_a_network_has_too_is_told_of_with_the_way_out():
    found = [
        ForeignItem("br-int", "port", "x", 7),
        ForeignItem("br-int", "port", "y", 8),
        ForeignItem("br-int", "port", "z", 9),
        ForeignItem("br-int", "bridge", "br-int"),
        ForeignItem("br-tun", "controller", "tcp:127.0.0.1:6633"),
    ]
    assert list(lines(found, parse_topology(FILE, "file"), "h1")) == [
        "br-int was here before dvr_ryu, which gives it back when it goes down",
        "br-int has the port x, not ours, in blue: both have the tag 7 here; "
        "give blue another: local_vlans: {blue: TAG}",
        "br-int has the port y with the tag 8, not ours: left alone",
        "br-int has the port z, not ours, in open",
        "br-tun has the controller tcp:127.0.0.1:6633, not ours: left alone",
    ]


@pytest.mark.parametrize(
    "adopted, kernels, expected",
    [
        ([], "system", "system"),
        ([], "netdev", "netdev"),
        ([""], "system", "system"),
        ([""], "netdev", "netdev"),
        (["system", "netdev"], "system", "netdev"),
    ],
)
def test_a_userspace_bridge_that_is_there_makes_all_userspace(adopted, kernels, expected):
    assert datapath_of([bridge(each) for each in adopted], kernels) == expected


@pytest.mark.parametrize("mac", [None, "02:00:00:00:00:07"])
def test_a_bridge_that_is_there_keeps_its_mac_and_its_ports_their_numbers(mac):
    adopted = {"br-int": bridge("system", mac)}
    wanted = bridge("netdev", "02:11:11:11:11:11")
    changed = beside_adopted(wanted, adopted)
    assert isinstance(changed, Bridge) and changed.settings.get(MAC) == mac
    assert changed.settings["datapath_type"] == "netdev"
    assert beside_adopted(wanted, {}) == wanted
    port = OvsPort("br-int", "qr-1", "r", 1, {"ofport_request": "1", "type": "internal"})
    changed = beside_adopted(port, adopted)
    assert isinstance(changed, OvsPort) and changed.interface == {"type": "internal"}
    assert beside_adopted(port, {}) == port


def test_what_open_vswitch_makes_by_itself_is_nobodys():
    assert OWN_DEFAULT.fullmatch("cookie=0x0, table=0, priority=0 actions=NORMAL")
    assert OWN_DEFAULT.fullmatch("priority=0 actions=NORMAL")
    assert not OWN_DEFAULT.fullmatch("table=5, priority=0 actions=NORMAL")
    assert not OWN_DEFAULT.fullmatch("priority=0,in_port=1 actions=NORMAL")
    assert cookie_of("cookie=0x7, table=5 actions=drop") == 7 and cookie_of("actions=drop") == 0


def test_a_bridge_has_one_flow_of_a_table_priority_and_match():
    same = (
        "cookie=0x9, table=60, idle_timeout=9999, reset_counts priority=1,ip actions=drop",
        "cookie=0x6476725f727975, table=60, priority=1,ip actions=NORMAL",
        "table=60, send_flow_rem importance=7 priority=1,ip actions=output:1",
    )
    assert {identity(line) for line in same} == {"table=60, priority=1,ip"}
    assert identity("table=60, priority=1,ip,in_port=2 actions=drop") != identity(same[0])
    assert identity("table=6, priority=1,ip actions=drop") != identity(same[0])
