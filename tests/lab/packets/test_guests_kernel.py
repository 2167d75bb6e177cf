"""Rules and devices that others or guests may put into a namespace: all can be read, and those in
our way can be removed. This uses a network namespace without a lab.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

RULES = (
    "from 10.3.0.0/16 prohibit",
    "prio 5 goto 32767",
    "prio 7 blackhole",
    "prio 9 to 10.4.0.0/16 unreachable",
    "prio 10 not from 10.5.0.0/16 table 8",
    "prio 11 fwmark 3 table 999999",
    "prio 12 oif nowhere table 9",
)
DEVICES = """
ip link add qr-1 type veth peer name far
ip link add other0 type veth peer name other1
for device in lo qr-1 far other0 other1; do ip link set $device up; done
ip address add 10.0.0.2/24 dev qr-1
ip nexthop add id 5 via 10.0.0.1 dev qr-1
ip nexthop add id 6 blackhole
ip nexthop add id 7 group 5
"""
ROUTES = (
    "blackhole 10.9.0.0/16",
    "unreachable default metric 7",
    "prohibit 10.8.0.0/16 table 77",
    "throw 10.7.0.0/16 tos 0x08",
    "10.6.0.0/16 nexthop via 10.0.0.3 weight 2 nexthop via 10.0.0.4 dev qr-1",
    "10.5.0.0/16 tos 0x10 via 10.0.0.1",
    "10.5.0.0/16 tos 0x10 via 10.0.0.1 metric 9",
    "default via 10.0.0.1 metric 100",
    "blackhole 10.4.0.0/16 table local",
    "10.3.0.0/16 dev lo",
    "local 10.2.0.0/16 dev lo",
    "broadcast 10.2.255.255 dev qr-1 table 9",
    "multicast 224.1.0.0/16 dev qr-1",
    "10.1.0.0/16 via 10.0.0.1 src 10.0.0.2 proto bird mtu 1400",
    "10.1.0.0/16 via 10.0.0.5",
    "10.1.0.0/16 nexthop via 10.0.0.6 nexthop via 10.0.0.7",
    "10.10.0.0/16 via inet6 fe80::1 dev qr-1 onlink",
    "10.11.0.0/16 nhid 5",
    "10.12.0.0/16 nhid 6",
    "10.13.0.0/16 nhid 7",
)
ADDRESSES = (
    "10.20.0.1 peer 10.20.0.2/32",
    "10.21.0.1 peer 10.22.0.0/24 brd 10.22.0.255",
    "10.23.0.1/24 label qr-1:x",
    "10.24.0.1/24 scope link noprefixroute",
)
_ALL_OF_OURS = """
from attrs import evolve
from dvr_ryu.companion.providers.netlink import routing
from dvr_ryu.companion.providers.netlink.client import netlink
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.route import Route

with netlink("") as kernel:
    kernel.namespace = "qrouter-a"
    kernel.links()
    found = [evolve(each, namespace="") for each in routing.read(kernel, ["lo", "qr-1"], {})]
"""
_OF_ROUTES = f"""{_ALL_OF_OURS}
found = [each for each in found if each.kind.endswith("route")]
routing.Routing().remove(found)
print(len(found), len({{each.key for each in found}}))
"""
_OF_ADDRESSES = f"""{_ALL_OF_OURS}
routing.Routing().remove([each for each in found if isinstance(each, Address)])
"""
_OF_OURS = f"""{_ALL_OF_OURS}
routing.Routing().remove([each for each in found if each.kind == "foreign-route"])
routing.Routing().make([Route("", 254, "default", "10.0.0.1", "qr-1")])
"""
_OF_RULES = """
from dvr_ryu.companion.providers.netlink import routing
from dvr_ryu.companion.providers.netlink.client import netlink
from dvr_ryu.companion.resources.routing.rule import Rule
from dvr_ryu.topology.family import Family

with netlink("") as kernel:
    found = [each for each in routing._rules(kernel, Family.IPV4) if isinstance(each, Rule)]
routing.Routing().remove(found)
print(len(found))
"""
_OF_DEVICES = """
from dvr_ryu.companion.providers.netlink import links
from dvr_ryu.companion.providers.netlink.client import netlink

with netlink("") as kernel:
    kernel.namespace = "vm-a"
    found = list(links.observe(kernel, (), ()))
print(ascii(sorted(link.name for link in found)))
"""


def alone(prepared: str, program: str, commands: str = "true") -> Any:
    """Run shell commands, a Python program and more commands in a network namespace of their own;
    return all output.
    """
    script = f'{prepared}\n"{sys.executable}" -c "$0" && {commands}'
    process = subprocess.run(
        ["unshare", "--net", "sh", "-ec", script, program],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    return process.stdout


def test_rules_of_every_kind_go() -> None:
    added = "\n".join(f"ip rule add {rule}" for rule in RULES)
    count, left = alone(added, _OF_RULES, "ip -j rule").split("\n", 1)
    assert int(count) == len(RULES)
    assert [each["priority"] for each in json.loads(left)] == [0, 32766, 32767]


def test_a_device_may_have_any_name() -> None:
    added = r"""ip link add "$(printf 'tap\377')" type veth peer name "$(printf 'x\377')" """
    assert alone(added, _OF_DEVICES).strip() == r"['lo', 'tap\udcff']"


def test_routes_of_every_kind_go() -> None:
    added = "\n".join(f"ip route append {route}" for route in ROUTES)
    beside = "ip route add 10.30.0.0/16 dev other0"
    listed = "ip -N -d -j route show table all"
    count, left = alone(f"{DEVICES}{added}\n{beside}", _OF_ROUTES, listed).split("\n", 1)
    assert count == f"{len(ROUTES)} {len(ROUTES)}"
    by_hand = [each["dst"] for each in json.loads(left) if each["protocol"] != "2"]
    assert by_hand == ["10.30.0.0/16"]


def test_addresses_of_every_kind_go() -> None:
    added = "\n".join(f"ip address add {address} dev qr-1" for address in ADDRESSES)
    left = json.loads(alone(DEVICES + added, _OF_ADDRESSES, "ip -j -4 address show dev qr-1"))
    assert [each for each in left if each] == []


@pytest.mark.parametrize("verb", ["append", "prepend"])
def test_a_route_of_ours_stays_when_another_to_its_destination_goes(verb: str) -> None:
    added = f"ip route add default via 10.0.0.1\nip route {verb} default via 10.0.0.9"
    left = alone(DEVICES + added, _OF_OURS, "ip -j route show default")
    assert [each["gateway"] for each in json.loads(left)] == ["10.0.0.1"]
