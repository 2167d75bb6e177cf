"""Resources of IPv6, which nothing desires yet: their lines, keys and programs."""

from __future__ import annotations

import pytest

from dvr_ryu.companion.desired.kernel_made import with_kernel_made
from dvr_ryu.companion.providers.kernel.announce import announceable
from dvr_ryu.companion.resources.netfilter.chain import Chain
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import Neighbour, ProxyNeighbour
from dvr_ryu.companion.resources.routing.route import Route
from dvr_ryu.companion.resources.routing.rule import Rule
from dvr_ryu.companion.upkeep.arrivals import addressed
from dvr_ryu.topology.family import Family

SIX = Family.IPV6
LINES = {
    Address(
        "r", "qr-1", "2001:db8::1/64", None
    ): "ip -6 -n r addr add 2001:db8::1/64 dev qr-1 nodad",
    Address("vm-a", "eth0", "2001:db8::5/64", None): (
        "ip -6 -n vm-a addr add 2001:db8::5/64 dev eth0 nodad"
    ),
    Route("r", 16, "default", "2001:db8::2", "qr-1"): (
        "ip -6 -n r route replace default via 2001:db8::2 dev qr-1 table 16"
    ),
    Route("", 254, "default", None, "eth0", family=SIX): (
        "ip -6 route replace default dev eth0 scope link"
    ),
    Route("r", 254, "2001:db8:1::/64", None, "qr-1"): (
        "ip -6 -n r route replace 2001:db8:1::/64 dev qr-1 scope link"
    ),
    Rule("r", 5, 16, source="2001:db8::5/128"): (
        "ip -6 -n r rule add from 2001:db8::5 priority 5 table 16"
    ),
    Rule("r", 5, 16, iif="lo", family=SIX): "ip -6 -n r rule add iif lo priority 5 table 16",
    Neighbour("r", "qr-1", "2001:db8::5", "fa:16:3e:00:00:01"): (
        "ip -6 -n r neigh replace 2001:db8::5 lladdr fa:16:3e:00:00:01 dev qr-1 nud permanent"
    ),
    ProxyNeighbour("r", "fg-1", "2001:db8::5"): "ip -6 -n r neigh add proxy 2001:db8::5 dev fg-1",
    Chain("r", "nat", "OUTPUT", ("-j x",), SIX): (
        "ip netns exec r ip6tables -t nat -A OUTPUT -j x"
    ),
}


@pytest.mark.parametrize(("resource", "line"), LINES.items(), ids=LINES.values())
def test_lines_say_the_family(resource: Resource, line: str) -> None:
    assert resource.describe() == line


@pytest.mark.parametrize(
    ("four", "six"),
    [
        (Route("r", 16, "default", None, "d"), Route("r", 16, "default", None, "d", family=SIX)),
        (Route("r", 16, "default", "10.0.0.1", "d"), Route("r", 16, "default", "fd00::1", "d")),
        (Rule("r", 5, 5, iif="lo"), Rule("r", 5, 5, iif="lo", family=SIX)),
        (Chain("r", "nat", "OUTPUT", ()), Chain("r", "nat", "OUTPUT", (), SIX)),
    ],
)
def test_a_host_may_have_the_same_of_both_families(four: Resource, six: Resource) -> None:
    assert four != six and four.key != six.key


def test_chains_need_the_programs_of_their_family() -> None:
    assert Chain("r", "nat", "OUTPUT", (), SIX).programs == ("ip6tables-restore", "ip6tables-save")
    assert Chain("r", "nat", "OUTPUT", ()).programs == ("iptables-restore", "iptables-save")


def test_arp_announces_no_address_of_ipv6() -> None:
    own = Address("r", "qr-1", "2001:db8::1/64", None)
    assert announceable([own, ProxyNeighbour("r", "fg-1", "2001:db8::5")]) == []
    assert addressed([own], {"r"}) == []
    assert [*with_kernel_made([own])] == [own]
