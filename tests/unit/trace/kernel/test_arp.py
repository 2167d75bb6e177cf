"""ARP: which addresses a namespace answers for, what it learns, what waits for an answer."""

from __future__ import annotations

import pytest

from dvr_ryu.pipeline.run.packet import ARP_REPLY, BROADCAST, Packet, arp_request
from dvr_ryu.trace.kernel.addresses import ip_number, mac_number, mac_text
from dvr_ryu.trace.kernel.outcome import Purpose, Receiver, Why
from tests.unit.trace.kernel.hosts import STRANGER, TOPOLOGY, Host, ping, texts


def request(source: str, target: str) -> Packet:
    return arp_request(mac_number(STRANGER), ip_number(source), ip_number(target))


def answers(host: Host, prefix: str, device: str, source: str, target: str, ip: str = "") -> str:
    """The MAC that a namespace answers with, or ""."""
    frames = host.receive(prefix, device, request(source, target), ip).frames
    replies = [frame.packet for frame in frames if frame.packet["arp_op"] == ARP_REPLY]
    return mac_text(replies[0]["arp_sha"]) if replies else ""


def test_a_router_answers_for_the_device_that_has_the_address() -> None:
    host = Host()
    own = mac_text(host.mac("qrouter", "qr-", "10.1.0.1"))
    assert answers(host, "qrouter", "qr-", "10.1.0.11", "10.1.0.1", "10.1.0.1") == own
    # arp_ignore is 1: the other device's address is not answered for.
    assert answers(host, "qrouter", "qr-", "10.1.0.11", "10.2.0.1", "10.1.0.1") == ""
    assert answers(host, "qrouter", "qr-", "10.1.0.11", "10.1.0.99", "10.1.0.1") == ""


def test_an_instance_answers_for_any_of_its_addresses_but_not_one_of_several_nics() -> None:
    host = Host(announced={"a": ["10.1.0.100"]})
    own = mac_text(host.mac("vm-a", "eth0"))
    assert answers(host, "vm-a", "eth0", "10.1.0.1", "10.1.0.100") == own
    assert answers(host, "vm-e", "eth0", "10.1.0.1", "10.2.0.15") == ""
    assert answers(host, "vm-e", "eth1", "10.2.0.1", "10.2.0.15") != ""


def test_only_the_holder_of_a_virtual_address_answers_and_with_its_virtual_mac() -> None:
    assert answers(Host(), "vm-a", "eth0", "10.1.0.1", "10.1.0.100") == ""
    host = Host(announced={"a": ["10.1.0.200"]})
    assert answers(host, "vm-a", "eth0", "10.1.0.1", "10.1.0.200") == "00:00:5e:00:01:07"
    frame = ping("10.1.0.1", "10.1.0.200").having(dl_dst=mac_number("00:00:5e:00:01:07"))
    assert host.receive("vm-a", "eth0", frame).delivered[0].receiver is Receiver.ECHO


def test_a_fip_namespace_is_a_proxy_for_this_hosts_floating_addresses_only() -> None:
    host = Host()
    own = mac_text(host.mac("fip", "fg-"))
    assert answers(host, "fip", "fg-", "2.2.2.1", "2.2.2.101") == own
    assert answers(host, "fip", "fg-", "2.2.2.1", "2.2.2.102") == ""


def test_a_probe_for_a_free_address_is_answered_if_it_is_not_free() -> None:
    host = Host()
    assert answers(host, "vm-a", "eth0", "0.0.0.0", "10.1.0.11") != ""
    assert answers(host, "vm-a", "eth0", "0.0.0.0", "10.1.0.12") == ""


def test_a_packet_waits_until_its_neighbour_answers() -> None:
    host = Host()
    sent = host.send("vm-a", ping("0.0.0.0", "10.1.0.12"))
    (asked,) = sent.frames
    assert (asked.purpose, asked.packet["arp_tpa"]) == (Purpose.ARP, ip_number("10.1.0.12"))
    assert asked.packet["arp_spa"] == ip_number("10.1.0.11")
    assert asked.packet["dl_dst"] == BROADCAST
    again = host.send("vm-a", ping("0.0.0.0", "10.1.0.12"))
    assert not again.frames and len(again.state.waiting) == 2
    came = host.receive("vm-a", "eth0", asked.packet.reply(mac_number(STRANGER)))
    assert [frame.packet["dl_dst"] for frame in came.frames] == [mac_number(STRANGER)] * 2
    assert all(frame.waited and frame.purpose is Purpose.PASSAGE for frame in came.frames)
    assert not came.state.waiting
    assert host.send("vm-a", ping("0.0.0.0", "10.1.0.12")).frames[0].packet.is_ip


def test_a_request_teaches_the_asked_one_and_a_stranger_s_answer_nobody() -> None:
    host = Host()
    host.receive("vm-a", "eth0", request("10.1.0.12", "10.1.0.11"))
    assert host.send("vm-a", ping("0.0.0.0", "10.1.0.12")).frames[0].packet.is_ip
    gratuitous = request("10.1.0.15", "10.1.0.15")
    assert host.receive("vm-a", "eth0", gratuitous).dropped[0].why is Why.SILENT
    assert host.send("vm-a", ping("0.0.0.0", "10.1.0.15")).frames[0].packet.is_arp


def test_gratuitous_arp_replaces_what_is_known_but_no_permanent_neighbour() -> None:
    host = Host()
    host.receive("vm-a", "eth0", request("10.1.0.12", "10.1.0.11"))
    moved = arp_request(7, ip_number("10.1.0.12"), ip_number("10.1.0.12"))
    host.receive("vm-a", "eth0", moved)
    assert host.send("vm-a", ping("0.0.0.0", "10.1.0.12")).frames[0].packet["dl_dst"] == 7
    asked = arp_request(7, ip_number("10.1.0.12"), ip_number("10.1.0.1"))
    outcome = host.receive("qrouter", "qr-", asked, "10.1.0.1")
    assert not any("learns" in text for text in texts(outcome))
    routed = host.receive("qrouter", "qr-", ping("10.2.0.13", "10.1.0.12"), "10.2.0.1")
    assert routed.frames[0].packet["dl_dst"] == host.mac("vm-b", "eth0")


@pytest.mark.parametrize(("target", "why"), [("127.0.0.1", Why.MARTIAN), ("224.0.0.5", None)])
def test_impossible_questions_have_no_answer(target: str, why: Why | None) -> None:
    outcome = Host().receive("vm-a", "eth0", request("10.1.0.12", target))
    assert outcome.frames == () and outcome.dropped[0].why is (why or Why.UNKNOWN_PROTOCOL)


def test_arp_announce_chooses_the_asking_address() -> None:
    host = Host()
    outcome = host.receive("qrouter", "qr-", ping("10.2.0.13", "10.1.0.77"), "10.2.0.1")
    assert outcome.frames[0].packet["arp_spa"] == ip_number("10.1.0.1")


def test_a_kernel_asks_as_arping_does() -> None:
    host = Host()
    asked = host.kernel.ask("vm-a", "eth0", "10.1.0.1", host.state).frames[0].packet
    assert (asked["arp_spa"], asked["arp_tpa"]) == tuple(map(ip_number, ("10.1.0.11", "10.1.0.1")))


@pytest.mark.parametrize(("value", "answered"), [(0, True), (1, True), (2, False), (8, False)])
def test_arp_ignore_of_an_asker_in_another_subnet(value: int, answered: bool) -> None:
    host = Host(inherited={"arp_ignore": value})
    assert (answers(host, "vm-a", "eth0", "10.3.0.9", "10.1.0.11") != "") is answered


def test_proxy_arp_answers_for_what_is_behind_another_device() -> None:
    host = Host(inherited={"proxy_arp": 1})
    assert answers(host, "qrouter", "qr-", "10.1.0.11", "10.2.0.14", "10.1.0.1") != ""
    assert answers(host, "qrouter", "qr-", "10.1.0.11", "10.1.0.12", "10.1.0.1") == ""
    assert answers(host, "vm-e", "eth0", "10.1.0.11", "10.2.0.14") == ""  # it is no router


def test_the_asking_address_is_of_the_neighbour_s_subnet() -> None:
    nics = "ports: [{network: n, ip: 10.1.0.15}, {network: m, ip: 10.2.0.15}]"
    two = TOPOLOGY.replace(
        "{cidr: 10.2.0.0/24, dhcp: false}",
        "{cidr: 10.2.0.0/24, dhcp: false}, {cidr: 10.3.0.0/24, dhcp: false}",
    )
    host = Host(two.replace(nics, "network: m, ips: [10.2.0.15, 10.3.0.15]"))
    for subnet in ("10.2.0", "10.3.0"):
        asked = host.kernel.ask("vm-e", "eth0", f"{subnet}.99", host.state).frames[0].packet
        assert asked["arp_spa"] == ip_number(f"{subnet}.15")
