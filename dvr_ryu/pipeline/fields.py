"""The fields of a packet that a flow may match, set, move or learn: names, sizes, what they
require.

Names are ovs-ofctl's (ovs-fields(7)); `oxm` and `nxm` are Ryu's names of the field's OpenFlow
Extensible Match and of its Nicira form, which move, load and learn carry on the wire. A table; no
logic beyond looking up.
"""

from __future__ import annotations

from attrs import frozen

from dvr_ryu.pipeline import numbers
from dvr_ryu.topology.relations import Kind

ARP = 0x0806
IPV4 = 0x0800
IPV6 = 0x86DD
VLAN_PRESENT = 0x1000


@frozen
class Field:
    """One field. `requires` holds alternatives: sets of (field, value) of which one must be
    matched.
    """

    name: str
    bits: int
    oxm: str
    nxm: str
    form: numbers.Form
    kind: Kind | None = None
    maskable: bool = False
    requires: tuple[tuple[tuple[str, int], ...], ...] = ()
    present: int = 0
    """Bits that OpenFlow sets beside the value: a VLAN tag is there."""

    @property
    def limit(self) -> int:
        """One more than the largest value."""
        return 1 << self.bits

    def to_ryu(self, value: int) -> int | str:
        """A number as Ryu's user value: text for addresses, an int for everything else."""
        if self.form in (numbers.MAC, numbers.IPV4):
            return self.form.write(value)
        return value


_ARP = ((("dl_type", ARP),),)
_IP = ((("dl_type", IPV4),),)
_ANY_IP = ((("dl_type", IPV4),), (("dl_type", IPV6),))
_IPV6 = ((("dl_type", IPV6),),)


def _over_ip(proto: int) -> tuple[tuple[tuple[str, int], ...], ...]:
    return tuple((("dl_type", ether), ("nw_proto", proto)) for ether in (IPV4, IPV6))


_ICMP = ((("dl_type", IPV4), ("nw_proto", 1)),)
_ICMP6 = ((("dl_type", IPV6), ("nw_proto", 58)),)

FIELDS: dict[str, Field] = {
    field.name: field
    for field in (
        Field("in_port", 32, "in_port", "in_port_nxm", numbers.PORT, Kind.PORT),
        Field("dl_src", 48, "eth_src", "eth_src_nxm", numbers.MAC, Kind.MAC, True),
        Field("dl_dst", 48, "eth_dst", "eth_dst_nxm", numbers.MAC, Kind.MAC, True),
        Field("dl_type", 16, "eth_type", "eth_type_nxm", numbers.HEX),
        Field(
            "dl_vlan", 12, "vlan_vid", "vlan_tci", numbers.DECIMAL, Kind.VLAN, present=VLAN_PRESENT
        ),
        Field("vlan_vid", 13, "vlan_vid", "vlan_tci", numbers.DECIMAL, Kind.VLAN, True),
        Field("vlan_tci", 16, "vlan_tci", "vlan_tci", numbers.HEX, None, True),
        Field("tun_id", 64, "tunnel_id", "tunnel_id_nxm", numbers.HEX, Kind.VNI, True),
        Field("metadata", 64, "metadata", "metadata", numbers.HEX, None, True),
        Field("nw_proto", 8, "ip_proto", "ip_proto_nxm", numbers.DECIMAL, requires=_ANY_IP),
        Field("nw_src", 32, "ipv4_src", "ipv4_src_nxm", numbers.IPV4, Kind.IPV4, True, _IP),
        Field("nw_dst", 32, "ipv4_dst", "ipv4_dst_nxm", numbers.IPV4, Kind.IPV4, True, _IP),
        Field("tcp_src", 16, "tcp_src", "tcp_src_nxm", numbers.DECIMAL, requires=_over_ip(6)),
        Field("tcp_dst", 16, "tcp_dst", "tcp_dst_nxm", numbers.DECIMAL, requires=_over_ip(6)),
        Field("udp_src", 16, "udp_src", "udp_src_nxm", numbers.DECIMAL, requires=_over_ip(17)),
        Field("udp_dst", 16, "udp_dst", "udp_dst_nxm", numbers.DECIMAL, requires=_over_ip(17)),
        Field("icmp_type", 8, "icmpv4_type", "icmpv4_type_nxm", numbers.DECIMAL, requires=_ICMP),
        Field("icmp_code", 8, "icmpv4_code", "icmpv4_code_nxm", numbers.DECIMAL, requires=_ICMP),
        Field("icmpv6_type", 8, "icmpv6_type", "icmpv6_type_nxm", numbers.DECIMAL, requires=_ICMP6),
        Field("icmpv6_code", 8, "icmpv6_code", "icmpv6_code_nxm", numbers.DECIMAL, requires=_ICMP6),
        Field("arp_op", 16, "arp_op", "arp_op_nxm", numbers.DECIMAL, requires=_ARP),
        Field("arp_spa", 32, "arp_spa", "arp_spa_nxm", numbers.IPV4, Kind.IPV4, True, _ARP),
        Field("arp_tpa", 32, "arp_tpa", "arp_tpa_nxm", numbers.IPV4, Kind.IPV4, True, _ARP),
        Field("arp_sha", 48, "arp_sha", "arp_sha_nxm", numbers.MAC, Kind.MAC, True, _ARP),
        Field("arp_tha", 48, "arp_tha", "arp_tha_nxm", numbers.MAC, Kind.MAC, True, _ARP),
    )
}

ALIASES: dict[str, str] = {
    "eth_src": "dl_src",
    "eth_dst": "dl_dst",
    "eth_type": "dl_type",
    "tunnel_id": "tun_id",
    "ip_proto": "nw_proto",
    "ip_src": "nw_src",
    "ip_dst": "nw_dst",
    "icmp6_type": "icmpv6_type",
    "NXM_OF_IN_PORT": "in_port",
    "NXM_OF_ETH_SRC": "dl_src",
    "NXM_OF_ETH_DST": "dl_dst",
    "NXM_OF_ETH_TYPE": "dl_type",
    "NXM_OF_VLAN_TCI": "vlan_tci",
    "NXM_OF_IP_SRC": "nw_src",
    "NXM_OF_IP_DST": "nw_dst",
    "NXM_OF_IP_PROTO": "nw_proto",
    "NXM_OF_ARP_OP": "arp_op",
    "NXM_OF_ARP_SPA": "arp_spa",
    "NXM_OF_ARP_TPA": "arp_tpa",
    "NXM_NX_ARP_SHA": "arp_sha",
    "NXM_NX_ARP_THA": "arp_tha",
    "NXM_NX_TUN_ID": "tun_id",
}

SHORTHANDS: dict[str, tuple[tuple[str, int], ...]] = {
    "arp": (("dl_type", ARP),),
    "ip": (("dl_type", IPV4),),
    "ipv6": (("dl_type", IPV6),),
    "icmp": (("dl_type", IPV4), ("nw_proto", 1)),
    "icmp6": (("dl_type", IPV6), ("nw_proto", 58)),
    "tcp": (("dl_type", IPV4), ("nw_proto", 6)),
    "udp": (("dl_type", IPV4), ("nw_proto", 17)),
    "tcp6": (("dl_type", IPV6), ("nw_proto", 6)),
    "udp6": (("dl_type", IPV6), ("nw_proto", 17)),
}
"""A word in place of the fields that it matches, most specific last."""


NXM_NAMES: dict[str, str] = {
    field: alias for alias, field in ALIASES.items() if alias.startswith("NXM_")
}
"""Field → the name that ovs-ofctl prints in move, load and learn."""

OXM_NAMES = {"dl_src": "eth_src", "dl_dst": "eth_dst", "nw_src": "ip_src", "nw_dst": "ip_dst"}
"""Field → the name that ovs-ofctl prints in set_field, where it is another one."""


def find(name: str) -> Field | None:
    """The field of that name or alias, or None."""
    return FIELDS.get(ALIASES.get(name, name))


@frozen
class Subfield:
    """Some bits of a field: `width` of them from bit `start`, the lowest being 0."""

    field: Field
    start: int
    width: int

    def __str__(self) -> str:
        name = NXM_NAMES.get(self.field.name, self.field.name)
        if self.width == self.whole:
            return f"{name}[]"
        last = self.start + self.width - 1
        return f"{name}[{self.start}]" if self.width == 1 else f"{name}[{self.start}..{last}]"

    @property
    def whole(self) -> int:
        """The width of the whole field, as Nicira's extensions see it (in_port has 16 bits
        there).
        """
        return 16 if self.field.name == "in_port" else self.field.bits
