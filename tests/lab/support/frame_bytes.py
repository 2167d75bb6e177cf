"""Packets as values to and from the bytes of frames; Scapy knows the headers."""

from __future__ import annotations

import struct
from typing import Any

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from dvr_ryu.pipeline.run.packet import Packet
from dvr_ryu.trace.kernel.addresses import ip_number, ip_text, mac_number, mac_text

_DF, _MF = 2, 1
_QUOTED = (3, 4, 5, 11, 12)
_FRAGMENTATION_NEEDED = (3, 4)
_PORTS = {6: "tcp", 17: "udp"}
_ICMP = 1
_LEAST, _TCP_FLAGS = 8, 13


def bytes_of(packet: Packet) -> bytes:
    """The frame of an ARP message, or of an IPv4 packet that is no fragment."""
    frame = Ether(src=mac_text(packet["dl_src"]), dst=mac_text(packet["dl_dst"]))
    if packet.is_arp:
        arp = ARP(
            op=packet["arp_op"],
            hwsrc=mac_text(packet["arp_sha"]),
            hwdst=mac_text(packet["arp_tha"]),
            psrc=ip_text(packet["arp_spa"]),
            pdst=ip_text(packet["arp_tpa"]),
        )
        return bytes(frame / arp)
    head = frame / IP(
        src=ip_text(packet["nw_src"]),
        dst=ip_text(packet["nw_dst"]),
        proto=packet["nw_proto"],
        ttl=packet["nw_ttl"],
        tos=packet["nw_tos"] | packet["nw_ecn"],
        flags=_DF if packet["nw_df"] else 0,
    )
    if packet.quoted is not None:
        error = ICMP(
            type=packet["icmp_type"], code=packet["icmp_code"], nexthopmtu=packet["icmp_mtu"]
        )
        return bytes(head / error / Raw(_beginning(packet.quoted)))
    head = head / _transport(packet)
    return bytes(head / Raw(b"x" * (packet.size - len(head) + 14)))


def _beginning(packet: Packet) -> bytes:
    """The IP header of a packet and 8 bytes more, as ICMP errors quote it."""
    return bytes_of(packet)[14 : 14 + 28]


def _transport(packet: Packet) -> Any:
    match packet["nw_proto"]:
        case 1:
            return ICMP(
                type=packet["icmp_type"], code=packet["icmp_code"], id=packet["icmp_id"], seq=0
            )
        case 6:
            ports = {"sport": packet["tcp_src"], "dport": packet["tcp_dst"]}
            return TCP(**ports, flags=packet["tcp_flags"])
        case 17:
            return UDP(sport=packet["udp_src"], dport=packet["udp_dst"])
    return Raw(b"")


def packet_of(frame: bytes) -> Packet:
    """The packet in a frame; a fragment is without the whole."""
    ether = Ether(frame)
    link = {"dl_src": mac_number(ether.src), "dl_dst": mac_number(ether.dst), "dl_type": ether.type}
    if ARP in ether:
        arp = ether[ARP]
        return Packet({
            **link,
            "arp_op": arp.op,
            "arp_spa": ip_number(arp.psrc),
            "arp_tpa": ip_number(arp.pdst),
            "arp_sha": mac_number(arp.hwsrc),
            "arp_tha": mac_number(arp.hwdst),
        })  # fmt: skip
    if IP not in ether:
        return Packet(link, 0)
    return _ip(ether[IP], link)


def _ip(ip: Any, link: dict[str, int]) -> Packet:
    fields = {
        **link,
        "nw_src": ip_number(ip.src),
        "nw_dst": ip_number(ip.dst),
        "nw_proto": ip.proto,
        "nw_ttl": ip.ttl,
        "nw_tos": ip.tos & 0xFC,
        "nw_ecn": ip.tos & 3,
        "nw_frag": 3 if ip.frag else int(bool(ip.flags.value & _MF)),
    }
    if ip.flags.value & _DF:
        fields["nw_df"] = 1
    quoted = None if ip.frag else _add_transport(fields, ip.proto, bytes(ip.payload))
    return Packet(fields, ip.len, quoted)


def _add_transport(fields: dict[str, int], protocol: int, layer: bytes) -> Packet | None:
    """Add the transport's fields, of which an ICMP error may quote 8 bytes; return the packet that
    this one quotes.
    """
    if protocol in _PORTS and len(layer) >= _LEAST:
        name = _PORTS[protocol]
        fields[f"{name}_src"], fields[f"{name}_dst"] = struct.unpack_from("!HH", layer)
        if name == "tcp" and len(layer) > _TCP_FLAGS:
            fields["tcp_flags"] = layer[_TCP_FLAGS]
    if protocol != _ICMP or len(layer) < _LEAST:
        return None
    type, code, _, id, mtu = struct.unpack_from("!BBHHH", layer)
    fields |= {"icmp_type": type, "icmp_code": code}
    if type not in _QUOTED:
        fields["icmp_id"] = id
        return None
    if (type, code) == _FRAGMENTATION_NEEDED:
        fields["icmp_mtu"] = mtu
    return _ip(IP(layer[_LEAST:]), {})
