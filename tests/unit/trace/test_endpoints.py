"""The words that name the ends of a trace, and the errors for words that do not."""

from __future__ import annotations

import pytest

from dvr_ryu.shipped import examples_dir
from dvr_ryu.topology.loading import load_topology
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.endpoints import UnknownEndpoint, ends, names


def example(name: str) -> Topology:
    return load_topology(examples_dir() / f"{name}.yaml")


ARTICLE = example("human-defined-dvr")
NORTH = example("north-south")
SHAPES = example("shapes")
DHCP = example("dhcp")


@pytest.mark.parametrize(
    "topology, word, target, host, namespace, address",
    [
        (ARTICLE, "cirros", "vm-68", "server-233", "vm-cirros", None),
        (ARTICLE, "192.168.10.222", "vm-68", "server-233", "vm-cirros", "192.168.10.222"),
        (ARTICLE, "server-68", "server-64", "server-68", "", None),
        (ARTICLE, "10.0.44.68", "server-64", "server-68", "", "10.0.44.68"),
        (ARTICLE, "outside", "2.2.2.9", "server-64", "", "2.2.2.1"),
        (ARTICLE, "2.2.2.6", "2.2.2.1", "server-233",
         "fip-ccf351c9-826c-4d93-9dd4-625302bf3051", "2.2.2.6"),
        (SHAPES, "both", "lab-2", "server-3", "vm-both", None),
        (SHAPES, "both:eth1", "lab-2", "server-3", "vm-both", "10.3.0.30"),
        (SHAPES, "outside", "web-1", "server-3", "", "203.0.113.1"),
        (NORTH, "outside", "3.3.3.101", "h3", "", "3.3.3.1"),
        (NORTH, "outside", "g", "h3", "", "3.3.3.1"),
    ],
)  # fmt: skip
def test_a_sender(
    topology: Topology, word: str, target: str, host: str, namespace: str, address: str | None
) -> None:
    sender, _ = ends(topology, word, target)
    assert (sender.host, sender.namespace, sender.address) == (host, namespace, address)


@pytest.mark.parametrize(
    "topology, source, word, name, address",
    [
        (ARTICLE, "cirros", "vm-68", "vm-68", "10.10.10.4"),
        (ARTICLE, "cirros", "8.8.8.8", "8.8.8.8", "8.8.8.8"),
        (ARTICLE, "cirros", "outside", "outside", "2.2.2.1"),
        (ARTICLE, "cirros", "server-68", "server-68", "10.0.44.68"),
        # From beyond the networks of instances, only a floating address leads to one.
        (ARTICLE, "outside", "cirros", "cirros by its floating address", "2.2.2.100"),
        (ARTICLE, "vm-64", "cirros", "cirros", "192.168.10.222"),
        (ARTICLE, "outside", "vm-68", "vm-68", "10.10.10.4"),
        (NORTH, "g", "outside", "outside", "3.3.3.1"),
        (NORTH, "r", "outside", "outside", "2.2.2.1"),
        (SHAPES, "lab-2", "both:eth1", "both:eth1", "10.3.0.30"),
    ],
)
def test_a_receiver(topology: Topology, source: str, word: str, name: str, address: str) -> None:
    _, receiver = ends(topology, source, word)
    assert (receiver.name, receiver.address) == (name, address)


@pytest.mark.parametrize(
    "topology, source, target, message",
    [
        (ARTICLE, "ciros", "vm-68", "'ciros' is no instance, host or address of this topology; "
         "did you mean cirros?"),
        (ARTICLE, "cirros", "10.10.10", "'10.10.10' is no instance"),
        (ARTICLE, "cirros", "router1", "router1 is a router, on every host that needs it: name one "
         "of its addresses as the receiver: 192.168.10.1 (blue), 10.10.10.1 (yellow)"),
        (ARTICLE, "blue", "cirros", "blue is a network; name an instance on it: cirros, blue-68"),
        (SHAPES, "both:eth2", "web-1", "both has no NIC eth2; it has eth0, eth1"),
        (SHAPES, "10.1.0.11", "web-1", "10.1.0.11 is an address of web-1 and twin-1; name one"),
        (ARTICLE, "2.2.2.100", "vm-68",
         "2.2.2.100 is a floating address, and sends nothing: name cirros"),
        (ARTICLE, "9.9.9.9", "vm-68", "nothing in this topology has the address 9.9.9.9"),
        (DHCP, "a", "outside", "no external network has a gateway_host"),
        (DHCP, "outside", "a", "no external network has a gateway_host"),
    ],
)  # fmt: skip
def test_an_error_says_what_to_type(
    topology: Topology, source: str, target: str, message: str
) -> None:
    with pytest.raises(UnknownEndpoint) as error:
        ends(topology, source, target)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_every_name_is_an_end() -> None:
    for topology in (ARTICLE, NORTH, SHAPES):
        for name in names(topology):
            ends(topology, name, name)
    assert "outside" in [*names(ARTICLE)]
    assert "outside" not in [*names(DHCP)]
