"""Netlink, in the messages of pyroute2: the answers of this machine's kernel, without root."""

from __future__ import annotations

from socket import AF_INET, if_nameindex, inet_aton
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroute2.netlink.nfnetlink.nfctsocket import IPS_SRC_NAT, nfct_msg
from pyroute2.netlink.rtnl import RTM_GETADDR, RTM_NEWLINK
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

from dvr_ryu.companion.providers.netlink import conntrack
from dvr_ryu.companion.providers.netlink.client import netlink
from dvr_ryu.companion.providers.netlink.messages import (
    LinkMessage,
    decoded,
    encoded,
    message,
    nest,
    values,
)
from dvr_ryu.companion.resources.routing.foreign_route import ForeignRoute, NextHop
from dvr_ryu.errors import HostError

READ = {
    "IFLA_ADDRESS": st.just("fa:16:3e:00:00:01"),
    "IFLA_GROUP": st.integers(0, 2**32 - 1),
    "IFLA_IFNAME": st.from_regex("[a-z]{1,15}", fullmatch=True),
    "IFLA_LINK": st.integers(1, 2**31),
    "IFLA_MTU": st.integers(68, 65535),
}
SKIPPED = {
    "IFLA_CARRIER": st.integers(0, 1),
    "IFLA_QDISC": st.text("abc", min_size=1, max_size=9),
    "IFLA_TXQLEN": st.integers(0, 2**32 - 1),
}
ATTRIBUTES = st.fixed_dictionaries({}, optional=READ | SKIPPED).flatmap(
    lambda chosen: st.permutations([*chosen.items()])
)


@given(ATTRIBUTES, st.booleans())
def test_of_a_device_we_read_what_pyroute2_reads(chosen: list[tuple[str, Any]], veth: bool) -> None:
    has = [*chosen, *([("IFLA_LINKINFO", nest(("IFLA_INFO_KIND", "veth")))] if veth else [])]
    data = encoded(message(ifinfmsg, has, index=7), RTM_NEWLINK, 0)
    (whole,), (sparse,) = decoded(data, ifinfmsg), decoded(data, LinkMessage)
    assert values(sparse, *READ) == values(whole, *READ)
    assert [
        each and values(each, "IFLA_INFO_KIND") for each in values(sparse, "IFLA_LINKINFO")
    ] == [["veth"] if veth else None]
    assert sparse["index"] == 7


def test_the_devices_of_this_machine() -> None:
    with netlink("") as kernel:
        found = {name: link["index"] for name, link in kernel.links().items()}
        assert found == {name: index for index, name in if_nameindex()}
        assert kernel.has("lo") and kernel.index("lo") == found["lo"]
        assert kernel.link("nosuch0") is None and not kernel.has("nosuch0")
        with pytest.raises(HostError, match="the device nosuch0 is not in the host"):
            kernel.index("nosuch0")


def test_an_error_has_the_words_of_the_kernel() -> None:
    with netlink("") as kernel:
        kernel.heed_filters()
        with pytest.raises(OSError, match=r"Invalid argument \(.*Invalid values in header"):
            kernel.dump(RTM_GETADDR, ifaddrmsg, family=AF_INET, prefixlen=9)
        # The next question gets its own replies.
        assert "lo" in kernel.links()


def _tuple(source: str, target: str, *ports: int) -> dict[str, Any]:
    ends = nest(("CTA_IP_V4_SRC", source), ("CTA_IP_V4_DST", target))
    names = ("CTA_PROTO_SRC_PORT", "CTA_PROTO_DST_PORT")
    protocol = nest(("CTA_PROTO_NUM", 6), *zip(names, ports, strict=True))
    return nest(("CTA_TUPLE_IP", ends), ("CTA_TUPLE_PROTO", protocol))


def _connection(source: str, seen_as: str, number: int) -> bytes:
    has = [
        ("CTA_TUPLE_ORIG", _tuple(source, "8.8.8.8", 1024, 80)),
        ("CTA_TUPLE_REPLY", _tuple("8.8.8.8", seen_as, 80, 1024)),
        ("CTA_STATUS", IPS_SRC_NAT),
        ("CTA_ID", number),
    ]
    return encoded(message(nfct_msg, has, nfgen_family=AF_INET), conntrack.GET, 0)


def test_of_connections_only_those_that_mention_an_address_are_read() -> None:
    data = _connection("10.1.0.2", "2.2.2.1", 1) + _connection("10.1.0.3", "2.2.2.101", 2)
    (found,) = decoded(data, nfct_msg, {inet_aton("2.2.2.101"), inet_aton("9.9.9.9")})
    assert conntrack.connection(found) == conntrack.Connection(
        "10.1.0.3", "8.8.8.8", 6, 80, "8.8.8.8", "2.2.2.101", translated=True
    )
    (named,) = decoded(encoded(conntrack._named(found), conntrack.DELETE, 0), nfct_msg)
    (began, number), (wanted, _) = (
        values(each, "CTA_TUPLE_ORIG", "CTA_ID") for each in (named, found)
    )
    assert number == 2 and began.dump() == wanted.dump()


@pytest.mark.parametrize(
    ("route", "line"),
    [
        (ForeignRoute("", 254, "blackhole", "10.9.0.0/16"), "blackhole 10.9.0.0/16"),
        (
            ForeignRoute("", 255, "local", "10.9.0.9/32", source="10.0.0.2", hops=(NextHop("lo"),)),
            "local 10.9.0.9/32 dev lo table local src 10.0.0.2",
        ),
        (
            ForeignRoute("", 16, "unicast", "default", 16, 5, hops=(NextHop("qr-1", "10.0.0.1"),)),
            "default tos 0x10 via 10.0.0.1 dev qr-1 table 16 metric 5",
        ),
        (
            ForeignRoute(
                "",
                254,
                "unicast",
                "10.9.0.0/16",
                hops=(NextHop("qr-1", "inet6 fe80::1"), NextHop("qr-2", None, 3)),
            ),
            "10.9.0.0/16 nexthop via inet6 fe80::1 dev qr-1 weight 1 nexthop dev qr-2 weight 3",
        ),
        (ForeignRoute("", 254, "unicast", "default", nexthop_id=5), "default nhid 5"),
    ],
)
def test_a_foreign_route_in_the_words_of_ip(route: ForeignRoute, line: str) -> None:
    assert route.describe() == f"ip route add {line}"
