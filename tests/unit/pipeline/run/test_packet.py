"""Packets as values: their replies, tags and sizes."""

from __future__ import annotations

from dvr_ryu.pipeline.run.packet import BROADCAST, Packet, arp_request, icmp_echo, tcp

ONE, OTHER = 0xFA163E000001, 0xFA163E000002
HERE, THERE = 0xC0A80A01, 0xC0A80A02


def test_a_reply_swaps_the_ends() -> None:
    reply = icmp_echo(ONE, OTHER, HERE, THERE).having(reg0=7, in_port=3, nw_ttl=3).reply()
    assert reply == icmp_echo(OTHER, ONE, THERE, HERE).having(icmp_type=0)


def test_a_reply_to_a_syn_is_a_syn_ack() -> None:
    assert tcp(ONE, OTHER, HERE, THERE, 80).reply() == tcp(
        OTHER, ONE, THERE, HERE, 40000, src_port=80
    ).having(tcp_flags=0x12)


def test_an_arp_reply_names_the_mac_that_answers() -> None:
    reply = arp_request(ONE, HERE, THERE).reply(OTHER)
    assert (reply["dl_src"], reply["dl_dst"]) == (OTHER, ONE)
    assert (reply["arp_sha"], reply["arp_spa"]) == (OTHER, THERE)
    assert (reply["arp_tha"], reply["arp_tpa"]) == (ONE, HERE)


def test_a_tag_adds_four_bytes_to_the_frame() -> None:
    packet = icmp_echo(ONE, OTHER, HERE, THERE, size=1450)
    assert (packet.vlan, packet.frame_size) == (None, 1464)
    assert (packet.tagged(4095).vlan, packet.tagged(4095).frame_size) == (4095, 1468)
    assert packet.tagged(2).tagged(None) == packet


def test_only_headers_are_on_a_wire() -> None:
    packet = arp_request(ONE, HERE, THERE)
    assert packet.having(reg6=1, tun_id=5, metadata=1, ct_state=0x21).without_metadata() == packet


def test_an_absent_field_counts_as_zero_but_is_absent() -> None:
    packet = Packet({"dl_dst": BROADCAST})
    assert packet["nw_src"] == 0 and packet.get("nw_src") is None and "nw_src" not in packet


def test_a_packet_prints_as_ovs_ofctl_reads_it() -> None:
    packet = tcp(ONE, OTHER, HERE, THERE, 80).having(in_port=1)
    assert str(packet) == (
        "in_port=1,dl_src=fa:16:3e:00:00:01,dl_dst=fa:16:3e:00:00:02,dl_type=0x800,"
        "nw_src=192.168.10.1,nw_dst=192.168.10.2,nw_proto=6,nw_tos=0,nw_ecn=0,nw_ttl=64,"
        "nw_frag=no,tcp_src=40000,tcp_dst=80,tcp_flags=syn"
    )
