"""A packet as a frozen value: its headers by the names of the language's fields, and its size.

This module makes packets and replies, and names the fields that are no header. It runs no flow.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from dvr_ryu.pipeline.language.fields import ARP, FIELDS, IP, IP6, TRANSPORTS, VLAN_ID, VLAN_PRESENT

BROADCAST = (1 << 48) - 1
"""The MAC of all receivers."""
ICMP, ICMPV6, TCP, UDP = 1, 58, 6, 17
ECHO_REQUEST, ECHO_REPLY = 8, 0
ECHO6_REQUEST, ECHO6_REPLY = 128, 129
ARP_REQUEST, ARP_REPLY = 1, 2

_ETHERNET_HEADER, _ARP_SIZE, _TAG = 14, 28, 4
_SYN, _SYN_ACK = 0x02, 0x12
_TTL = 64
_ECHO6 = {ECHO6_REQUEST: ECHO6_REPLY}
_ECHO = {ECHO_REQUEST: ECHO_REPLY}
_FRAGMENTS = {0: "no", 1: "first", 2: "later", 3: "later"}
_METADATA = ("reg", "tun_", "ct_")
_METADATA_NAMES = {
    "in_port", "metadata", "pkt_mark", "conj_id", "recirc_id", "dp_hash", "actset_output",
}  # fmt: skip
_SWAPPED = [
    ("dl_src", "dl_dst"),
    ("nw_src", "nw_dst"),
    ("ipv6_src", "ipv6_dst"),
    *((f"{name}_src", f"{name}_dst") for name in TRANSPORTS.values()),
]


def is_metadata(name: str) -> bool:
    """Whether a field is no header of the packet: a register, its tunnel, its connection's state.
    On a cable, and on a patch port, the packet has none of these.
    """
    return name in _METADATA_NAMES or name.startswith(_METADATA)


class _Known(dict[str, bool]):
    """Whether a field is metadata, by its name: asked for every field of every packet."""

    def __missing__(self, name: str) -> bool:
        self[name] = known = is_metadata(name)
        return known


_IS_METADATA = _Known()


def _frozen(fields: Mapping[str, int]) -> Mapping[str, int]:
    return dict(fields)


@frozen
class Packet:
    """A packet. `fields`: name of the language's field → number; a field is absent if the packet
    lacks its header. A register, or another field that is no header, is 0 if it is absent.

    The VLAN tag is `vlan_tci`, with the bit 0x1000. `nw_tos` has the DSCP in its upper six bits,
    and `nw_ecn` has the other two. Besides the language's fields there are `icmp_id`, the
    identifier of an echo, `nw_df`, IPv4's bit "don't fragment", `icmp_mtu`, which an ICMP error
    tells, and `inner_vlan_tci`, a second VLAN tag.

    Names of fields that are parts of others (dl_vlan, vlan_vid, vlan_pcp, ip_dscp, xreg0, xxreg0,
    in_port_oxm) are not used here.
    """

    fields: Mapping[str, int] = field(converter=_frozen)
    size: int = _ARP_SIZE
    """Bytes of the IP packet (of an ARP message, its bytes): without the Ethernet header."""
    quoted: Packet | None = None
    """The packet whose beginning an ICMP error has in it."""
    payload: Packet | None = None
    """The packet behind an outer header that hides it: an MPLS label, an NSH header. `fields` are
    then those of the outer header. Of a fragment, the whole packet.
    """

    def __hash__(self) -> int:
        return hash((frozenset(self.fields.items()), self.size, self.quoted, self.payload))

    def __getitem__(self, name: str) -> int:
        """A field's number; 0 if it is absent."""
        return self.fields.get(name, 0)

    def __contains__(self, name: str) -> bool:
        return name in self.fields

    def get(self, name: str) -> int | None:
        """A field's number, or None if it is absent."""
        return self.fields.get(name)

    def having(self, **changes: int | None) -> Packet:
        """The packet with other numbers in these fields; None removes a field."""
        fields = {**self.fields, **{n: v for n, v in changes.items() if v is not None}}
        for name in (name for name, value in changes.items() if value is None):
            fields.pop(name, None)
        return self._with(fields)

    def _with(self, fields: Mapping[str, int]) -> Packet:
        """The packet with exactly these fields. attrs.evolve takes three times as long."""
        return Packet(fields, self.size, self.quoted, self.payload)

    @property
    def vlan(self) -> int | None:
        """The number of the outer VLAN tag, or None without a tag."""
        tci = self.fields.get("vlan_tci")
        return None if tci is None else tci & VLAN_ID

    def tagged(self, vlan: int | None) -> Packet:
        """The packet with this VLAN tag, or without one."""
        return self.having(vlan_tci=None if vlan is None else vlan | VLAN_PRESENT)

    @property
    def frame_size(self) -> int:
        """Bytes of the Ethernet frame, without its checksum."""
        tags = sum(name in self.fields for name in ("vlan_tci", "inner_vlan_tci"))
        return self.size + _ETHERNET_HEADER + _TAG * tags

    def without_metadata(self) -> Packet:
        """The packet without the fields that are no header."""
        return self._with({n: v for n, v in self.fields.items() if not _IS_METADATA[n]})

    @property
    def is_arp(self) -> bool:
        """Whether it is an ARP message."""
        return self.fields.get("dl_type") == ARP

    @property
    def is_ip(self) -> bool:
        """Whether it is an IPv4 or IPv6 packet."""
        return self.fields.get("dl_type") in (IP, IP6)

    def reply(self, mac: int | None = None) -> Packet:
        """The answer to this packet: the ends are swapped, a request becomes a reply, a SYN a
        SYN-ACK. `mac` is the MAC of the answering end; None: this packet's receiver. A reply to an
        ARP request needs it.
        """
        fields = dict(self.without_metadata().fields)
        for one, other in _SWAPPED:
            _swap(fields, one, other)
        if mac is not None:
            fields["dl_src"] = mac
        if self.is_arp:
            _swap(fields, "arp_spa", "arp_tpa")
            fields |= {"arp_op": ARP_REPLY, "arp_tha": self["arp_sha"], "arp_sha": fields["dl_src"]}
        for name, answers in (("icmp_type", _ECHO), ("icmpv6_type", _ECHO6)):
            if name in fields:
                fields[name] = answers.get(fields[name], fields[name])
        if fields.get("tcp_flags") == _SYN:
            fields["tcp_flags"] = _SYN_ACK
        if "nw_ttl" in fields:
            fields["nw_ttl"] = _TTL
        return self._with(fields)

    def __str__(self) -> str:
        """The fields as ovs-ofctl writes them, headers last."""
        names = sorted(self.fields, key=lambda name: (not is_metadata(name), _position(name)))
        return ",".join(f"{name}={written_field(name, self.fields[name])}" for name in names)


def _swap(fields: dict[str, int], one: str, other: str) -> None:
    if one in fields and other in fields:
        fields[one], fields[other] = fields[other], fields[one]


_ORDER = {name: at for at, name in enumerate(FIELDS)}


def _position(name: str) -> int:
    return _ORDER.get(name, len(_ORDER))


def written_field(name: str, value: int) -> str:
    """A field's number as ovs-ofctl writes it."""
    described = FIELDS.get(name)
    if described is None:
        return str(value)
    if name == "nw_frag":
        return _FRAGMENTS[value]
    if described.bit_names:
        return described.bit_names.write(value, described.all_bits)
    return described.notation.write(value)


def _ip(
    src_mac: int, dst_mac: int, src: int, dst: int, protocol: int, rest: Mapping[str, int]
) -> Mapping[str, int]:
    addresses = {"nw_src": src, "nw_dst": dst}
    return {
        "dl_src": src_mac,
        "dl_dst": dst_mac,
        "dl_type": IP,
        **addresses,
        "nw_proto": protocol,
        "nw_ttl": _TTL,
        "nw_tos": 0,
        "nw_ecn": 0,
        "nw_frag": 0,
        **rest,
    }


def icmp_echo(
    src_mac: int, dst_mac: int, src: int, dst: int, *, size: int = 84, id: int = 1
) -> Packet:
    """An ICMP echo request between IPv4 addresses, as numbers; `size` is that of the IP packet."""
    rest = {"icmp_type": ECHO_REQUEST, "icmp_code": 0, "icmp_id": id}
    return Packet(_ip(src_mac, dst_mac, src, dst, ICMP, rest), size)


def tcp(
    src_mac: int, dst_mac: int, src: int, dst: int, dst_port: int, *,
    src_port: int = 40000, size: int = 60,
) -> Packet:  # fmt: skip
    """The first segment of a TCP connection between IPv4 addresses: a SYN."""
    rest = {"tcp_src": src_port, "tcp_dst": dst_port, "tcp_flags": _SYN}
    return Packet(_ip(src_mac, dst_mac, src, dst, TCP, rest), size)


def udp(
    src_mac: int, dst_mac: int, src: int, dst: int, dst_port: int, *,
    src_port: int = 40000, size: int = 60,
) -> Packet:  # fmt: skip
    """A UDP datagram between IPv4 addresses."""
    rest = {"udp_src": src_port, "udp_dst": dst_port}
    return Packet(_ip(src_mac, dst_mac, src, dst, UDP, rest), size)


def arp_request(src_mac: int, src: int, dst: int, *, dst_mac: int = BROADCAST) -> Packet:
    """The question which MAC the address `dst` has, to all; with `dst_mac`, to one receiver. If
    both addresses are the same, it is a gratuitous announcement.
    """
    return Packet(
        {
            "dl_src": src_mac,
            "dl_dst": dst_mac,
            "dl_type": ARP,
            "arp_op": ARP_REQUEST,
            "arp_spa": src,
            "arp_tpa": dst,
            "arp_sha": src_mac,
            "arp_tha": 0,
        }
    )
