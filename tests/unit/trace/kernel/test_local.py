"""What a namespace does with packets for itself, and what its programs send."""

from __future__ import annotations

import pytest

from dvr_ryu.pipeline.run.packet import BROADCAST
from dvr_ryu.trace.kernel.addresses import ip_number, ip_text
from dvr_ryu.trace.kernel.outcome import Purpose, Receiver, Why
from dvr_ryu.trace.kernel.request import Request
from tests.unit.trace.kernel.hosts import Host, datagram, ping, syn, texts


def test_an_echo_request_is_answered_from_the_address_that_it_was_for() -> None:
    host = Host()
    outcome = host.receive("qrouter", "qr-", ping("10.1.0.12", "10.2.0.1"), "10.1.0.1")
    (delivery,) = outcome.delivered
    assert delivery.receiver is Receiver.ECHO and delivery.packet["icmp_type"] == 8
    (frame,) = outcome.frames
    assert (frame.packet["icmp_type"], frame.purpose) == (0, Purpose.ANSWER)
    assert ip_text(frame.packet["nw_src"]) == "10.2.0.1"
    assert [step.purpose for step in outcome.steps[3:]] == [Purpose.ANSWER] * 3


def test_nobody_listens_in_a_router_s_namespace() -> None:
    host = Host()
    refused = host.receive("qrouter", "qr-", syn("10.1.0.12", "10.1.0.1", 22), "10.1.0.1")
    assert refused.delivered[0].receiver is Receiver.NOBODY
    assert refused.frames[0].packet["tcp_flags"] == 0x14
    refused = host.receive("qrouter", "qr-", datagram("10.1.0.12", "10.1.0.1", 53), "10.1.0.1")
    other = host.receive("qrouter", "qr-", datagram("10.1.0.12", "10.2.0.1", 53), "10.1.0.1")
    assert ip_text(other.frames[0].packet["nw_src"]) == "10.2.0.1"
    error = refused.frames[0].packet
    assert (error["icmp_type"], error["icmp_code"], ip_text(error["nw_src"])) == (3, 3, "10.1.0.1")
    odd = ping("10.1.0.12", "10.1.0.1").having(nw_proto=47, icmp_type=None, icmp_code=None)
    refused = host.receive("qrouter", "qr-", odd, "10.1.0.1")
    assert refused.frames[0].packet["icmp_code"] == 2


def test_a_reset_to_a_later_segment_is_no_acknowledgement_and_none_answers_a_reset() -> None:
    host = Host()
    segment = syn("10.1.0.12", "10.1.0.1", 22)
    came = host.receive("qrouter", "qr-", segment.having(tcp_flags=0x10), "10.1.0.1")
    assert came.frames[0].packet["tcp_flags"] == 0x04
    assert not host.receive("qrouter", "qr-", segment.having(tcp_flags=0x04), "10.1.0.1").frames


def test_programs_are_taken_to_listen_in_instances_and_for_dhcp() -> None:
    host = Host()
    outcome = host.receive("vm-a", "eth0", syn("10.1.0.12", "10.1.0.11", 22))
    assert outcome.delivered[0].receiver is Receiver.PROGRAM and not outcome.frames
    discover = datagram("0.0.0.0", "255.255.255.255", 67).having(dl_dst=BROADCAST)
    outcome = host.receive("qdhcp", "tap", discover)
    assert outcome.delivered[0].receiver is Receiver.PROGRAM


def test_a_program_takes_only_answers_from_the_address_that_it_asked() -> None:
    host = Host()
    (asked,) = host.send("vm-a", syn("0.0.0.0", "2.2.2.103", 8000)).frames
    host.receive("vm-a", "eth0", asked.packet.reply(7))
    answer = syn("2.2.2.103", "10.1.0.11", 40000).having(tcp_src=8000, tcp_flags=0x12)
    assert host.receive("vm-a", "eth0", answer).delivered[0].receiver is Receiver.PROGRAM
    other = answer.having(nw_src=ip_number("10.1.0.12"))
    refused = host.receive("vm-a", "eth0", other)
    assert refused.delivered[0].receiver is Receiver.NOBODY
    assert texts(refused)[2].endswith("TCP port 40000, but no program here has this connection")
    assert host.state.waiting[-1][1].packet["tcp_flags"] == 0x04


def test_what_follows_a_taken_connection_is_taken() -> None:
    host = Host()
    first = syn("10.1.0.12", "10.1.0.11", 22)
    later = first.having(tcp_flags=0x10)
    assert host.receive("vm-a", "eth0", later).delivered[0].receiver is Receiver.NOBODY
    for packet in (first, later):
        assert host.receive("vm-a", "eth0", packet).delivered[0].receiver is Receiver.PROGRAM


@pytest.mark.parametrize("destination", ["10.2.0.255", "255.255.255.255"])
def test_broadcasts_are_not_answered(destination: str) -> None:
    for packet in (ping("10.2.0.13", destination), syn("10.2.0.13", destination, 1)):
        outcome = Host().receive("qrouter", "qr-", packet.having(dl_dst=BROADCAST), "10.2.0.1")
        assert outcome.dropped[0].why is Why.SILENT and not outcome.frames


def test_a_program_sends_to_a_subnet_s_broadcast() -> None:
    host = Host()
    (frame,) = host.send("vm-a", datagram("0.0.0.0", "10.1.0.255", 9)).frames
    assert frame.packet["dl_dst"] == BROADCAST
    (frame,) = host.send("vm-a", datagram("0.0.0.0", "224.0.0.251", 5353)).frames
    assert frame.packet["dl_dst"] == 0x01005E0000FB


def test_a_namespace_reaches_itself_without_a_wire() -> None:
    outcome = Host().send("vm-a", ping("0.0.0.0", "10.1.0.11"))
    assert [each.receiver for each in outcome.delivered] == [Receiver.ECHO, Receiver.PROGRAM]
    assert outcome.delivered[0].packet["nw_src"] == ip_number("10.1.0.11")
    assert not outcome.frames


def test_a_router_reaches_floating_addresses_by_their_instances() -> None:
    host = Host()
    outcome = host.send("qrouter", ping("0.0.0.0", "2.2.2.101"))
    assert any("OUTPUT -d 2.2.2.101/32" in text for text in texts(outcome))
    (frame,) = outcome.frames
    assert ip_text(frame.packet["nw_dst"]) == "10.1.0.11"


def test_a_program_may_send_only_from_the_namespace_s_own_addresses() -> None:
    host = Host()
    (drop,) = host.send("vm-a", ping("10.1.0.12", "10.1.0.1")).dropped
    assert drop.why is Why.SOURCE and drop.text.startswith("bind: Cannot assign requested address")
    # ip_nonlocal_bind is for arping, which makes whole frames.
    (drop,) = host.send("fip", ping("2.2.2.101", "2.2.2.1")).dropped
    assert drop.why is Why.SOURCE and drop.text.startswith("sendmsg: Network is unreachable")
    (drop,) = host.send("vm-a", ping("127.0.0.1", "10.1.0.1")).dropped
    assert drop.why is Why.MARTIAN and drop.text.startswith("sendmsg: Invalid argument")
    (drop,) = host.send("qrouter", ping("127.0.0.1", "2.2.2.101")).dropped  # NAT leads it out
    assert drop.why is Why.MARTIAN


def test_a_program_may_choose_its_device() -> None:
    host = Host()
    packet = ping("0.0.0.0", "8.8.8.8")
    bound = host.kernel.send("vm-e", Request(packet, device="eth1"), host.state)
    assert bound.dropped[0].why is Why.NO_ROUTE
    assert host.send("vm-e", packet).frames[0].device == "eth0"
    near = Request(ping("0.0.0.0", "10.2.0.13"), device="eth1")
    assert host.kernel.send("vm-e", near, host.state).frames[0].device == "eth1"
