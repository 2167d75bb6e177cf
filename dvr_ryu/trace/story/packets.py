"""Packets, their changes and probes as text for people. Pure."""

from __future__ import annotations

from dvr_ryu.pipeline.run.packet import (
    ARP_REQUEST,
    ECHO_REPLY,
    ECHO_REQUEST,
    Packet,
    written_field,
)
from dvr_ryu.trace.hops import ARP, ICMP, Probe
from dvr_ryu.trace.kernel.addresses import ip_text, mac_text
from dvr_ryu.trace.kernel.netfilter.iptables import PORTS

_ECHO = {ECHO_REQUEST: "a ping", ECHO_REPLY: "the answer to a ping"}
_FLAGS = {0x02: "SYN", 0x12: "SYN, ACK", 0x14: "RST, ACK", 0x04: "RST"}


def probe_text(probe: Probe) -> str:
    """A probe in words: "a ping", "TCP of 1500 bytes to port 80"."""
    name = {ICMP: "a ping", ARP: "an ARP request"}.get(probe.protocol, probe.protocol.upper())
    port = f" to port {probe.port}" if probe.port else ""
    size = f" of {probe.size} bytes" if probe.size is not None else ""
    return name + size + port


def packet_text(packet: Packet) -> str:
    """A packet in words: "a ping from 10.0.0.1 to 10.0.0.2"."""
    if packet.is_arp:
        spa, tpa = ip_text(packet["arp_spa"]), ip_text(packet["arp_tpa"])
        if packet["arp_op"] == ARP_REQUEST:
            return f"ARP: who has {tpa}? Tell {spa}"
        return f"ARP: {spa} is at {mac_text(packet['arp_sha'])}"
    ends = f"from {ip_text(packet['nw_src'])} to {ip_text(packet['nw_dst'])}"
    if packet.quoted is not None:
        return f"an ICMP error {ends}"
    transport = PORTS.get(packet["nw_proto"])
    if transport is None:
        return f"{_ECHO.get(packet['icmp_type'], 'an ICMP message')} {ends}"
    source, target = packet[f"{transport}_src"], packet[f"{transport}_dst"]
    flags = _FLAGS.get(packet["tcp_flags"], "") if transport == "tcp" else ""
    what = f"a TCP {flags}".rstrip() if transport == "tcp" else "a UDP datagram"
    return (
        f"{what} from {ip_text(packet['nw_src'])}:{source} to {ip_text(packet['nw_dst'])}:{target}"
    )


def change_text(name: str, before: int | None, after: int | None) -> str:
    """A change of a field: "dl_src: fa:16:3e:00:00:01 → fa:16:3e:00:00:02"."""
    shown = "dl_vlan" if name == "vlan_tci" else name
    return f"{shown}: {_value(name, before)} → {_value(name, after)}"


def _value(name: str, value: int | None) -> str:
    if value is None:
        return "none"
    if name == "vlan_tci":
        return str(value & 0xFFF)
    return str(value) if name == "tun_id" else written_field(name, value)
