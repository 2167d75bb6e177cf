"""Pools of numbers and addresses: they are used to the last one, and say so once they are full."""

from __future__ import annotations

import os
import subprocess
import sys
from ipaddress import IPv4Network
from typing import Any

import pytest
import yaml

from dvr_ryu.errors import FileError
from dvr_ryu.topology.allocation.slots import Exhausted, Ids, Slots
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.topology import Topology

Data = dict[str, Any]


def load(data: Data) -> Topology:
    return parse_topology(yaml.safe_dump(data, sort_keys=False), "topology.yaml")


def test_a_full_pool_says_so():
    slots = Slots(range(2), taken=[0, 1, 7])
    with pytest.raises(Exhausted):
        slots.take("a")


def test_ids_of_one_beginning_are_not_given():
    first = Ids([]).take("a")
    other = Ids([first[:10] + "f-0000-4000-8000-000000000000"]).take("a")
    assert other[:10] != first[:10]


CROWDED: Data = {
    "hosts": {"one": {"address": "10.0.0.1"}},
    "networks": {"n": {"subnets": [{"cidr": "10.1.0.0/29"}]}},
    "instances": {f"vm{n}": {"host": "one", "network": "n"} for n in range(4)},
}


def test_a_subnet_is_filled_to_its_last_address():
    """A /29 has 6 addresses: the gateway, the DHCP port and four instances."""
    topology = load(CROWDED)
    taken = {port.ip for port in (*topology.instances.values(), *topology.service_ports)}
    assert taken == {f"10.1.0.{n}" for n in range(2, 7)}


def test_one_instance_more_goes_to_the_next_subnet():
    subnets = [{"cidr": "10.2.0.0/24"}, {"cidr": "10.1.0.0/29"}]
    one_more = {**CROWDED["instances"], "vm9": {"host": "one", "network": "n"}}
    topology = load({**CROWDED, "networks": {"n": {"subnets": subnets}}, "instances": one_more})
    cidrs = [port.cidr for port in topology.instances.values()]
    assert cidrs.count(IPv4Network("10.1.0.0/29")) == 4
    assert cidrs.count(IPv4Network("10.2.0.0/24")) == 1


def test_every_pool_that_is_too_small_is_said_at_once():
    data = {
        **CROWDED,
        "networks": {
            name: {"subnets": [{"cidr": f"10.{n}.0.0/30"}], "dhcp_host": "one"}
            for n, name in ((1, "n"), (2, "m"))
        },
        "instances": {
            f"{name}{n}": {"host": "one", "network": name} for name in "nm" for n in range(2)
        },
    }
    with pytest.raises(FileError) as raised:
        load(data)
    assert [problem.message.split(":")[0] for problem in raised.value.problems] == [
        "'n' has too few addresses",
        "'m' has too few addresses",
    ]


def test_more_networks_than_vlan_tags_on_a_host():
    networks = {
        f"n{n}": {"subnets": [{"cidr": f"10.{n // 256}.{n % 256}.0/24"}], "dhcp_host": "one"}
        for n in range(4095)
    }
    with pytest.raises(FileError, match="'one' has more networks than the 4094 VLAN tags"):
        load({"hosts": {"one": {"address": "192.168.0.1"}}, "networks": networks})


def test_two_routers_on_one_network_have_two_addresses():
    """The first by name has the gateway's address, unless the other pins it."""
    data = {
        **CROWDED,
        "routers": {name: {"interfaces": [{"network": "n"}]} for name in ("b", "a")},
        "instances": {},
    }
    ips = {name: each.interfaces[0].ip for name, each in load(data).routers.items()}
    assert ips["a"] == "10.1.0.1" != ips["b"]
    data["routers"]["b"] = {"interfaces": [{"network": "n", "ip": "10.1.0.1"}]}
    ips = {name: each.interfaces[0].ip for name, each in load(data).routers.items()}
    assert ips["b"] == "10.1.0.1" != ips["a"]


@pytest.mark.parametrize("seed", ["0", "4711"])
def test_another_process_chooses_the_same(seed):
    script = (
        "import sys\n"
        "from dvr_ryu.topology.loading import parse_topology\n"
        "print(parse_topology(sys.stdin.read(), 'f'))\n"
    )
    text = yaml.safe_dump(CROWDED)
    result = subprocess.run(
        [sys.executable, "-c", script],
        input=text,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == f"{parse_topology(text, 'f')}\n"
