"""Makes topologies of any size, as the text of a file. Pure; no number in them is pinned.

DHCP is off, so that a network has only the ports of its instances, and a bridge exactly the
requested number of flows. Each instance is one line, so that an edit of it changes one line.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address
from random import Random

from attrs import frozen

from dvr_ryu.pipeline.compile.pipelines import Pipelines
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.view import HostView

BRIDGE = "br-tun"
FLOWS_OF_A_REMOTE_PORT = 2
"""The flows of a remote port in br-tun: one forwards to it, one answers ARP for it."""

PAIR = ("pair-0", "pair-1")

_UNDERLAY = IPv4Address("10.0.0.1")
_PAIR = IPv4Address("10.0.255.1")
_LOOPBACK = "management_address: 127.0.0.1"
_SUBNETS = IPv4Address("10.128.0.0")
_SUBNET_SIZE = 4096


@frozen
class Instance:
    """One line under `instances:`."""

    name: str
    host: str
    network: str

    def line(self) -> str:
        """The line, with its end."""
        return f"  {self.name}: {{host: {self.host}, network: {self.network}}}\n"


def host(number: int) -> str:
    """The name of a host. Number 0 is the measured host."""
    return f"host-{number}"


def network(number: int) -> str:
    """The name of a network."""
    return f"net-{number}"


def fabric(hosts: int, networks: int, elsewhere: int) -> str:
    """Every network has one instance on host 0; `elsewhere` more are on the other hosts.

    A router joins each group of ten networks.
    """
    here = (Instance(f"here-{number}", host(0), network(number)) for number in range(networks))
    there = (
        Instance(
            f"vm-{number}",
            host(1 + number // networks % (hosts - 1)),
            network(number % networks),
        )
        for number in range(elsewhere)
    )
    return _text(hosts, networks, _tens(networks), (*here, *there))


def _tens(networks: int) -> list[range]:
    return [range(first, min(first + 10, networks)) for first in range(0, networks, 10)]


def fabric_at_random(hosts: int, networks: int, instances: int, chance: Random) -> str:
    """The instances of each network are on random hosts. A router joins each group of ten."""
    every = (
        Instance(f"vm-{number}", host(chance.randrange(hosts)), network(number % networks))
        for number in range(instances)
    )
    return _text(hosts, networks, _tens(networks), every)


def fabric_of(flows: int, hosts: int, networks: int, pipelines: Pipelines) -> str:
    """The topology whose host 0 has so many flows in br-tun.

    Raises ValueError if no number of remote ports gives that number of flows.
    """
    # A network without other hosts is not flooded, and so has a flow less.
    least = count_flows(fabric(hosts, networks, networks), pipelines)
    more, odd = divmod(flows - least, FLOWS_OF_A_REMOTE_PORT)
    if odd or more < 0:
        raise ValueError(f"{hosts} hosts and {networks} networks make {least} flows, not {flows}")
    return fabric(hosts, networks, networks + more)


def groups(count: int, hosts: int, networks: int, instances: int) -> str:
    """`count` groups of so many hosts, with networks and a router of their own and so many
    instances on each host.
    """
    every = (
        Instance(
            f"vm-{number}-{at}",
            host(number),
            network(number // hosts * networks + at % networks),
        )
        for number in range(count * hosts)
        for at in range(instances)
    )
    routers = [range(first, first + networks) for first in range(0, count * networks, networks)]
    return _text(count * hosts, count * networks, routers, every)


def with_pair(topology: str) -> str:
    """The topology with two more hosts, PAIR, that share a network of their own: a small change."""
    lines = {
        "hosts:\n": [
            f"  {name}: {{address: {_PAIR + at}, {_LOOPBACK}}}\n" for at, name in enumerate(PAIR)
        ],
        "networks:\n": ["  pair: {subnets: [{cidr: 192.168.0.0/24, dhcp: false}]}\n"],
        "instances:\n": [Instance(f"vm-{name}", name, "pair").line() for name in PAIR],
    }
    for heading, more in lines.items():
        topology = topology.replace(heading, heading + "".join(more))
    return topology


def count_flows(text: str, pipelines: Pipelines) -> int:
    """The number of flows in br-tun of host 0."""
    view = HostView(parse_topology(text, "generated"), host(0))
    return sum(1 for _ in pipelines.lines(BRIDGE, view))


def _text(
    hosts: int, networks: int, routers: Iterable[range], instances: Iterable[Instance]
) -> str:
    lines = ["hosts:\n"]
    lines += [
        f"  {host(each)}: {{address: {_UNDERLAY + each}, {_LOOPBACK}}}\n" for each in range(hosts)
    ]
    lines += ["networks:\n"]
    for each in range(networks):
        cidr = f"{_SUBNETS + each * _SUBNET_SIZE}/20"
        lines += [f"  {network(each)}: {{subnets: [{{cidr: {cidr}, dhcp: false}}]}}\n"]
    lines += ["routers:\n"]
    for number, joined in enumerate(routers):
        interfaces = ", ".join(f"{{network: {network(each)}}}" for each in joined)
        lines += [f"  router-{number}: {{interfaces: [{interfaces}]}}\n"]
    return "".join([*lines, "instances:\n", *(instance.line() for instance in instances)])
