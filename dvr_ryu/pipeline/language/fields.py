"""The fields of a packet that a flow may match, set, move or learn: names, sizes, requirements.

Names and rules are ovs-ofctl's (ovs-fields(7)). `oxm` is a field's header in matches and in
set_field; `nxm` is its header in Nicira's actions, such as move, load and learn. This module only
looks fields up.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from dvr_ryu.pipeline.language import flags, numbers
from dvr_ryu.pipeline.language.encoding.oxm import Oxm, read_oxm
from dvr_ryu.pipeline.language.field_table import NAMES, NOT_CARRIED, TABLE
from dvr_ryu.topology.relations import Kind

ARP = 0x0806
IP = 0x0800
IP6 = 0x86DD
RARP = 0x8035
MPLS = 0x8847
MPLS_MULTICAST = 0x8848
NSH = 0x894F
VLAN_PRESENT = 0x1000
"""The bit of vlan_vid and vlan_tci that is 1 if there is a VLAN tag."""
VLAN_ID = 0xFFF
"""The bits of vlan_vid and vlan_tci that are dl_vlan."""
VLAN_PCP_AT, VLAN_PCP = 13, 0xE000
"""The bits of vlan_tci that are vlan_pcp: the lowest one, and the mask."""

Pairs = tuple[tuple[str, int], ...]
"""Fields and their values."""


@frozen
class Field:
    """One field. `requires` holds alternatives: the match must contain all (field, value) pairs of
    one of them.
    """

    name: str
    bits: int
    oxm: Oxm
    nxm: Oxm
    notation: numbers.Notation
    kind: Kind | None = None
    maskable: bool = False
    requires: tuple[Pairs, ...] = ()
    present: int = 0
    """Bits that OpenFlow sets beside the value: the one that says that there is a VLAN tag."""
    aliases: tuple[str, ...] = ()
    """Other names: ovs-ofctl's, then the one that it prints in move, load, learn, then OpenFlow's.
    """
    bit_names: flags.Flags | flags.Fragments | None = None
    """The names of its bits."""
    read_only: bool = False
    """A flow can match it, but no action writes it."""
    whole_masked: bool = False
    """Its OXM has a mask even if all bits are matched, because it does not fill its bytes."""
    below: int = 0
    """The number of its lowest bits that its OXM leaves out."""

    @property
    def variable(self) -> bool:
        """Whether it is a tunnel's option: only the switch knows its length."""
        return self.oxm.variable

    @property
    def in_ethernet(self) -> bool:
        """Whether it is part of the Ethernet header, including the VLAN tag."""
        return self.name in _IN_ETHERNET

    @property
    def in_transport(self) -> bool:
        """Whether it is part of TCP's, UDP's or SCTP's header, which only a first fragment has."""
        return any(dict(pairs).get("nw_proto") in TRANSPORTS for pairs in self.requires)

    @property
    def in_discovery(self) -> bool:
        """Whether it is part of a neighbour discovery message."""
        return any("icmpv6_type" in dict(pairs) for pairs in self.requires)

    @property
    def limit(self) -> int:
        """One more than the largest value."""
        return 1 << self.bits

    @property
    def all_bits(self) -> int:
        """The mask that matches the field whole."""
        return self.bit_names.all if self.bit_names else self.limit - 1

    def entry(self, value: int, mask: int | None = None) -> bytes:
        """The field's OXM with a value, and with a mask (None: all bits), for matches and
        set_field.
        """
        shifted = None if mask is None else mask >> self.below
        return self.oxm.entry(value >> self.below, shifted)


TRANSPORTS = {6: "tcp", 17: "udp", 132: "sctp"}
"""The IP protocols with ports → the beginning of their fields' names."""
_IN_ETHERNET = {"dl_src", "dl_dst", "dl_type", "dl_vlan", "vlan_vid", "vlan_pcp", "vlan_tci"}


def _over(ether: int, proto: int) -> Pairs:
    return ("dl_type", ether), ("nw_proto", proto)


SHORTHANDS: dict[str, Pairs] = {
    "arp": (("dl_type", ARP),),
    "rarp": (("dl_type", RARP),),
    "mpls": (("dl_type", MPLS),),
    "mplsm": (("dl_type", MPLS_MULTICAST),),
    "ip": (("dl_type", IP),),
    "ipv6": (("dl_type", IP6),),
    "ip6": (("dl_type", IP6),),
    "icmp": _over(IP, 1),
    "icmp6": _over(IP6, 58),
    "tcp": _over(IP, 6),
    "udp": _over(IP, 17),
    "sctp": _over(IP, 132),
    "tcp6": _over(IP6, 6),
    "udp6": _over(IP6, 17),
    "sctp6": _over(IP6, 132),
    "eth": (),
}
"""ovs-ofctl's shorthands → the fields that they match, the most specific last. `eth` matches every
packet of an ordinary bridge.
"""

_PACKETS: dict[str, Pairs] = {
    **SHORTHANDS,
    "nsh": (("dl_type", NSH),),
    "ns": (*_over(IP6, 58), ("icmpv6_type", 135)),
    "na": (*_over(IP6, 58), ("icmpv6_type", 136)),
}
_NOTATIONS = {
    "decimal": numbers.DECIMAL,
    "hex": numbers.HEX,
    "mac": numbers.MAC,
    "ipv4": numbers.IPV4,
    "ipv6": numbers.IPV6,
    "port": numbers.PORT,
    "packet_type": numbers.PACKET_TYPE,
}
_BIT_NAMES: dict[str, flags.Flags | flags.Fragments] = {
    "tcp_flags": flags.TCP_FLAGS,
    "ct_state": flags.CT_STATE,
    "tun_flags": flags.TUN_FLAGS,
    "nw_frag": flags.FRAGMENTS,
}


def _rows(table: str) -> Iterator[list[str]]:
    """A table's rows. A numbered field has a row for each number."""
    for row in table.strip().splitlines():
        base, numbered, count = row.split(maxsplit=1)[0].partition("#")
        for at in range(int(count) if numbered else 1):
            yield row.replace(f"{base}#{count}", f"{base}#").replace("#", str(at)).split()


_NAMES = {name: tuple(names) for name, *names in _rows(NAMES)}


def _field(row: list[str]) -> Field:
    name, bits, oxm, nxm, notation, hole, notes, packets = row
    marks = notes.split(",")
    variable = "variable" in marks
    return Field(
        name=name,
        bits=int(bits),
        oxm=read_oxm(oxm, int(bits), variable),
        nxm=read_oxm(oxm if nxm == "=" else nxm, int(bits), variable),
        notation=_NOTATIONS[notation],
        kind=None if hole == "-" else Kind[hole.upper()],
        maskable="mask" in marks,
        requires=tuple(_PACKETS[each] for each in packets.split("|") if each != "-"),
        present=VLAN_PRESENT if name == "dl_vlan" else 0,
        aliases=_NAMES.get(name, ()),
        bit_names=_BIT_NAMES.get(name),
        read_only="ro" in marks,
        whole_masked="whole" in marks,
        below=2 if name == "nw_tos" else 0,
    )


FIELDS: dict[str, Field] = {field.name: field for field in map(_field, _rows(TABLE))}

ALIASES: dict[str, str] = {
    alias: field.name for field in FIELDS.values() for alias in field.aliases
}

NXM_NAMES: dict[str, str] = {
    field.name: next(alias for alias in field.aliases if "XM_" in alias)
    for field in FIELDS.values()
    if any("XM_" in alias for alias in field.aliases)
}
"""Field → the name that ovs-ofctl prints in move, load and learn."""

OXM_NAMES = {"dl_src": "eth_src", "dl_dst": "eth_dst", "nw_src": "ip_src", "nw_dst": "ip_dst"}
"""Field → the name that ovs-ofctl prints in set_field, if it differs."""


def shorthand(pairs: Pairs) -> str:
    """The shorthand for these fields; without one, each field with its value."""
    exact = [name for name, each in SHORTHANDS.items() if set(each) == set(pairs)]
    return exact[0] if exact else spelled_out(pairs)


def spelled_out(pairs: Pairs) -> str:
    """Each field with its value: dl_type=0x0800,nw_proto=6."""
    return ",".join(f"{name}={FIELDS[name].notation.write(value)}" for name, value in pairs)


def find(name: str) -> Field | None:
    """The field of that name or alias, or None."""
    return FIELDS.get(ALIASES.get(name, name))


def why_not(name: str) -> str | None:
    """The reason why the language lacks a field of ovs-ofctl; None if ovs-ofctl lacks it."""
    return next((why for begin, why in NOT_CARRIED.items() if name.startswith(begin)), None)


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
        """Bits of the whole field in Nicira's extensions: in_port has 16 there, and vlan_vid lacks
        the bit that says that there is a tag.
        """
        return {"in_port": 16, "vlan_vid": 12}.get(self.field.name, self.field.bits)
