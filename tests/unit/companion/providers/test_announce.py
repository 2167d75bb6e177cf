"""The announced addresses, and the frame of an announcement, read by an independent parser."""

from __future__ import annotations

import pytest
from scapy.layers.l2 import ARP, Ether

from dvr_ryu.companion.change import change
from dvr_ryu.companion.providers.kernel.announce import EVERY, REPLY, announcements, gratuitous_arp
from dvr_ryu.companion.resources.device import Device
from dvr_ryu.companion.resources.namespace import Namespace
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.companion.resources.routing.address import Address
from dvr_ryu.companion.resources.routing.neighbour import ProxyNeighbour
from dvr_ryu.companion.resources.veth_pair import instance_veth


def test_the_frame_is_a_request_of_an_address_for_itself() -> None:
    frame = Ether(gratuitous_arp(bytes.fromhex("fa163ee11510"), "2.2.2.100"))
    assert (frame.src, frame.dst) == ("fa:16:3e:e1:15:10", "ff:ff:ff:ff:ff:ff")
    request = frame[ARP]
    assert request.op == 1
    assert (request.hwsrc, request.psrc, request.pdst) == (frame.src, "2.2.2.100", "2.2.2.100")


def test_as_a_reply_it_asks_nobody() -> None:
    reply = Ether(gratuitous_arp(bytes.fromhex("fa163ee11510"), "2.2.2.100", REPLY))[ARP]
    assert (reply.op, reply.psrc, reply.pdst) == (2, "2.2.2.100", "2.2.2.100")
    assert reply.hwsrc == reply.hwdst == "fa:16:3e:e1:15:10"


@pytest.mark.parametrize(
    "resource, announced",
    [
        (ProxyNeighbour("fip-1", "fg-1", "2.2.2.100"), [("fip-1", "fg-1", "2.2.2.100")]),
        (Address("snat-1", "qg-1", "2.2.2.9/24", None), [("snat-1", "qg-1", "2.2.2.9")]),
        # A distributed port is on every host, and flows confine its announcement to that host.
        (Address("qrouter-1", "qr-1", "10.1.0.1/24", None), [("qrouter-1", "qr-1", "10.1.0.1")]),
        (Address("vm-a", "eth0", "10.1.0.5/24", None), []),
    ],
)
def test_what_may_have_been_elsewhere_is_announced(
    resource: Resource, announced: list[tuple[str, str, str]]
) -> None:
    assert announcements(change([resource], ())) == announced


def test_what_stays_on_a_device_is_announced_with_its_new_mac() -> None:
    def holding(mac: str, mtu: int) -> tuple[Resource, ...]:
        return (
            Namespace("fip-1"),
            Namespace("snat-1"),
            Device("fip-1", "fg-1", mac, mtu, None, ("namespace", "fip-1")),
            Address("fip-1", "fg-1", "2.2.2.6/24", "2.2.2.255"),
            ProxyNeighbour("fip-1", "fg-1", "2.2.2.100"),
            Device("snat-1", "qg-1", "fa:16:3e:00:00:09", mtu, None, ("namespace", "snat-1")),
            Address("snat-1", "qg-1", "2.2.2.9/24", None),
        )

    before = holding("fa:16:3e:00:00:01", 1500)
    renewed = announcements(change(holding("fa:16:3e:00:00:02", 1500), before))
    assert renewed == [("fip-1", "fg-1", "2.2.2.6"), ("fip-1", "fg-1", "2.2.2.100")]
    assert announcements(change(holding("fa:16:3e:00:00:01", 1400), before)) == []


def test_an_instance_announces_all_that_it_has_when_its_mac_is_another() -> None:
    def instance(mac: str) -> list[Resource]:
        veth = instance_veth("vm-a", "eth0", "tap1")
        return [Namespace("vm-a"), veth, Device("vm-a", "eth0", mac, 1500, None, veth.key)]

    before, after = instance("fa:16:3e:00:00:01"), instance("fa:16:3e:00:00:02")
    assert announcements(change(after, before)) == [("vm-a", "eth0", EVERY)]
    assert announcements(change(after, ())) == announcements(change(after, after)) == []
