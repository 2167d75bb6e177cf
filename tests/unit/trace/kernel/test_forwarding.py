"""What a namespace forwards: TTL, MTU, redirects, frames that are not for it, and no route."""

from __future__ import annotations

import pytest
from attrs import evolve

from dvr_ryu.pipeline.run.packet import BROADCAST, Packet
from dvr_ryu.trace.kernel.addresses import ip_number, ip_text, mac_number
from dvr_ryu.trace.kernel.outcome import Outcome, Purpose, Receiver, Why
from tests.unit.trace.kernel.hosts import STRANGER, TOPOLOGY, Host, ping, syn


def routed(host: Host, packet: Packet) -> Outcome:
    """A packet comes to the router from the network m."""
    return host.receive("qrouter", "qr-", packet, "10.2.0.1")


def test_a_router_sends_on_with_its_own_mac_and_a_lower_ttl() -> None:
    host = Host()
    (frame,) = routed(host, ping("10.2.0.13", "10.1.0.12")).frames
    assert frame.packet["nw_ttl"] == 63
    assert frame.packet["dl_src"] == host.mac("qrouter", "qr-", "10.1.0.1")
    assert frame.packet["dl_dst"] == host.mac("vm-b", "eth0")
    assert (frame.device, frame.purpose) == (
        host.device("qrouter", "qr-", "10.1.0.1"), Purpose.PASSAGE,
    )  # fmt: skip


def test_the_last_hop_of_a_ttl_is_told_to_the_sender() -> None:
    outcome = routed(Host(), ping("10.2.0.13", "10.1.0.12", ttl=1))
    assert outcome.dropped[0].why is Why.TTL
    (frame,) = outcome.frames
    error = frame.packet
    assert (error["icmp_type"], error["nw_dst"]) == (11, ip_number("10.2.0.13"))
    assert ip_text(error["nw_src"]) == "10.2.0.1" and frame.purpose is Purpose.ANSWER
    assert error.quoted is not None and error.quoted["nw_dst"] == ip_number("10.1.0.12")


CROSSING = {"nw_src": ip_number("10.1.0.11"), "nw_dst": ip_number("8.8.8.8"), "dl_dst": None}


def narrow() -> Host:
    """A host on which DHCP has given b a smaller MTU; that of devices is 1450."""
    return Host(TOPOLOGY.replace("ip: 10.1.0.12}", "ip: 10.1.0.12, dhcp_options: {mtu: 1000}}"))


def test_a_device_loses_what_is_longer_than_its_mtu() -> None:
    host = Host()
    long = host.receive("vm-c", "eth0", ping("10.2.0.1", "10.2.0.13", size=1455))
    assert long.dropped[0].why is Why.TOO_LONG
    assert host.receive("vm-c", "eth0", ping("10.2.0.1", "10.2.0.13", size=1454)).delivered


def test_a_router_tells_the_mtu_of_what_may_not_be_fragmented() -> None:
    # A router's device takes what is a little too long, so that it can answer.
    outcome = routed(Host(), ping("10.2.0.13", "10.1.0.12", size=1454))
    assert outcome.dropped[0].why is Why.MTU
    (frame,) = outcome.frames
    wanted = {"icmp_type": 3, "icmp_code": 4, "icmp_mtu": 1450}
    assert {name: frame.packet[name] for name in wanted} == wanted


def test_the_sender_believes_the_mtu_that_it_is_told() -> None:
    host = Host()
    sent = ping("10.2.0.13", "10.1.0.12", size=1400)
    error = Packet({**ping("10.2.0.1", "10.2.0.13").fields, "icmp_type": 3, "icmp_code": 4,
                    "icmp_mtu": 1300}, 576, sent)  # fmt: skip
    outcome = host.receive("vm-c", "eth0", error)
    assert outcome.delivered[0].receiver is Receiver.ERROR
    (drop,) = host.send("vm-c", sent).dropped
    assert (drop.why, drop.text[:31]) == (Why.MTU, "sendmsg: Message too long, mtu=")
    assert "mtu=1300" in drop.text
    assert host.send("vm-c", evolve(sent, size=1300)).dropped == ()
    host.receive("vm-c", "eth0", error.having(icmp_mtu=100))  # net.ipv4.route.min_pmtu
    assert host.send("vm-c", evolve(sent, size=552)).dropped == ()
    assert "mtu=552" in host.send("vm-c", evolve(sent, size=553)).dropped[0].text


def test_a_sender_gets_an_error_for_what_is_longer_than_its_own_mtu() -> None:
    host = narrow()
    packet = ping("0.0.0.0", "10.1.0.11", size=1001)
    (drop,) = host.send("vm-b", packet).dropped
    assert drop.text == "sendmsg: Message too long, mtu=1000: the packet has 1001 bytes"


def test_fragments_are_cut_and_put_together_again() -> None:
    host = narrow()
    host.receive("vm-b", "eth0", arp(host))
    sent = host.send("vm-b", ping("0.0.0.0", "10.1.0.11", size=2500), dont_fragment=False)
    pieces = [frame.packet for frame in sent.frames]
    assert [(piece.size, piece["nw_frag"]) for piece in pieces] == [(996, 1), (996, 3), (548, 3)]
    assert "icmp_type" in pieces[0] and "icmp_type" not in pieces[1]
    first, second, third = (
        host.receive("vm-a", "eth0", piece.having(dl_dst=None)) for piece in pieces
    )
    assert not first.delivered and not second.delivered
    assert third.delivered[0].packet.size == 2500
    assert third.delivered[0].receiver is Receiver.ECHO


def arp(host: Host) -> Packet:
    """An ARP message from which b learns a's MAC."""
    return host.kernel.ask("vm-a", "eth0", "10.1.0.12", host.state).frames[0].packet


def test_conntrack_sees_whole_packets_also_where_they_only_pass() -> None:
    sender, host = narrow(), Host()
    sender.receive("vm-b", "eth0", arp(sender))
    whole = ping("0.0.0.0", "10.1.0.11", size=2000)
    sent = sender.send("vm-b", whole, dont_fragment=False).frames
    frames = [
        frame
        for each in sent
        for frame in host.receive(
            "qrouter",
            "qr-",
            each.packet.having(**CROSSING),
            "10.1.0.1",
        ).frames
    ]  # fmt: skip
    assert [frame.packet.size for frame in sent] == [996, 996, 48]
    assert [frame.packet.size for frame in frames] == [1444, 576]
    assert {ip_text(frame.packet["nw_src"]) for frame in frames} == {"2.2.2.101"}


def test_no_error_is_about_a_later_fragment() -> None:
    first = ping("2.2.2.1", "2.2.2.101", ttl=1).having(nw_frag=1)
    assert Host().receive("fip", "fg-", first).frames
    later = first.having(nw_frag=3, icmp_type=None, icmp_code=None, icmp_id=None)
    assert not Host().receive("fip", "fg-", later).frames


def test_an_unroutable_packet_is_told_by_a_router_and_not_by_an_instance() -> None:
    host = Host()
    outcome = routed(host, ping("10.7.0.1", "8.8.8.8"))
    assert outcome.dropped[0].why is Why.NO_ROUTE
    assert outcome.frames[0].packet["icmp_type"] == 3
    outcome = host.receive("vm-a", "eth0", ping("10.1.0.1", "10.1.0.12"))
    assert outcome.dropped[0].why is Why.NO_FORWARDING and not outcome.frames
    (drop,) = host.send(host.namespace("qdhcp"), ping("0.0.0.0", "8.8.8.8")).dropped
    assert drop.text == "sendmsg: Network is unreachable: no route to 8.8.8.8"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"dl_dst": mac_number(STRANGER)}, Why.OTHER_HOST),
        ({"dl_dst": BROADCAST}, Why.SILENT),
        ({"dl_type": 0x86DD}, Why.UNKNOWN_PROTOCOL),
        ({"vlan_tci": 0x1001}, Why.UNKNOWN_PROTOCOL),
        ({"nw_dst": ip_number("239.1.2.3")}, Why.SILENT),
    ],
)
def test_frames_that_a_router_does_not_take(changes: dict[str, int], why: Why) -> None:
    host = Host()
    own = host.mac("qrouter", "qr-", "10.2.0.1")
    packet = ping("10.2.0.13", "10.1.0.12").having(**{"dl_dst": own, **changes})
    outcome = routed(host, packet)
    assert [each.why for each in outcome.dropped] == [why] and not outcome.frames


def test_a_host_redirects_a_sender_that_could_reach_the_next_hop_itself() -> None:
    # In the host's own namespace redirects are on; a router of ours sends none.
    host = Host()
    outcome = host.receive("", "gw-", ping("2.2.2.20", "2.2.2.99"))
    assert [frame.packet["arp_tpa"] for frame in outcome.frames] == [
        ip_number("2.2.2.20"), ip_number("2.2.2.99"),
    ]  # fmt: skip
    assert host.state.waiting[0][1].packet["icmp_type"] == 5
    assert len(routed(host, ping("10.2.0.13", "10.2.0.14")).frames) == 1


def test_the_tunnels_and_the_controller_are_out_of_reach_from_an_external_network() -> None:
    host = Host()
    guarded = syn("2.2.2.20", "10.0.0.9", 6653)
    outcome = host.receive("", "gw-", guarded)
    assert outcome.dropped[0].why is Why.FILTERED
    assert outcome.dropped[0].text.startswith("iptables -t filter: dvr_ryu-FORWARD -d 10.0.0.0/24")
    assert host.receive("", "gw-", syn("2.2.2.20", "10.0.0.9", 22)).dropped == ()
    assert host.receive("", "gw-", guarded.having(tcp_flags=0x12)).dropped == ()
