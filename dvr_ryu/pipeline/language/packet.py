"""The known state of a packet before each action of its flow: the headers that the match or an
earlier action gives it. OpenFlow refuses actions on headers that a packet may lack.
"""

from __future__ import annotations

from collections.abc import Iterable

from dvr_ryu.pipeline.language.field_match import FieldMatch, connection_known
from dvr_ryu.pipeline.language.fields import IP, IP6, VLAN_PRESENT, Field, shorthand
from dvr_ryu.pipeline.language.flags import FRAGMENTS, LATER
from dvr_ryu.pipeline.language.operands import number


class Packet:
    """`known`: fields that surely have one value. `tagged`: it has a VLAN tag. `ethernet`: it
    begins with an Ethernet header. `connected`: it belongs to a connection. `committing`: the
    action stands in ct's exec. `in_action_set`: the action runs after all tables, so the packet's
    headers are unknown.
    """

    def __init__(self, known: Iterable[tuple[str, int]] = (), tagged: bool = False) -> None:
        self.known = dict(known)
        self.tagged = tagged
        self.ethernet = not self.known.get("packet_type")
        self.connected = False
        self.committing = False
        self.in_action_set = False
        if not self.ethernet:
            self.known.update(ethertype_pairs(self.known["packet_type"]))

    @classmethod
    def matched(cls, matches: Iterable[FieldMatch]) -> Packet:
        """A packet that these fields match."""
        each = tuple(matches)
        known: dict[str, int] = {
            m.field.name: m.value for m in each if isinstance(m.value, int) and m.mask is None
        }
        known.update(
            (m.field.name, number(m.value)) for m in each if m.field.bit_names is FRAGMENTS
        )
        packet = cls(
            known.items(),
            any(map(_requires_tag, each)),
        )
        packet.connected = connection_known(each)
        return packet

    def copy(self) -> Packet:
        """The same packet, for actions that change a copy of it."""
        packet = Packet(self.known.items(), self.tagged)
        packet.ethernet, packet.connected = self.ethernet, self.connected
        return packet

    def encapsulate(self, packet_type: int) -> None:
        """Put a header before the packet, which has this type then."""
        self.ethernet = not packet_type
        self.known.pop("packet_type", None)
        if not self.ethernet:
            self.known = dict(ethertype_pairs(packet_type))

    def decapsulate(self) -> None:
        """Take the outer header off. Only an Ethernet header's inner packet is known."""
        if not self.ethernet:
            self.known = {}
        self.ethernet = False

    def set_ethertype(self, ethertype: int) -> None:
        """Change the Ethernet type, by MPLS labels. Other fields are unknown then."""
        self.known = {"dl_type": ethertype}

    @property
    def is_later_fragment(self) -> bool:
        """Whether it is a fragment that is not the first."""
        return bool(self.known.get("nw_frag", 0) & LATER)

    @property
    def ethertype(self) -> int | None:
        """The Ethernet type, if it is known."""
        return self.known.get("dl_type")

    @property
    def is_ip(self) -> bool:
        """Whether it is an IPv4 or IPv6 packet."""
        return self.ethertype in (IP, IP6)

    @property
    def protocol(self) -> int | None:
        """The IP protocol, if it is known."""
        return self.known.get("nw_proto") if self.is_ip else None

    def why_absent(self, field: Field) -> str | None:
        """The reason why the packet may lack the field, or None if it surely has the field."""
        if field.in_ethernet and not self.ethernet:
            return f"{field.name} is in the Ethernet header, and the packet has none here"
        if field.name == "vlan_pcp":
            return None if self.tagged else _only_some(field, "dl_vlan")
        present = set(self.known.items())
        if field.requires and not any(set(each) <= present for each in field.requires):
            return _only_some(field, " or ".join(map(shorthand, field.requires)))
        if field.in_transport and self.is_later_fragment:
            return f"only a first fragment has {field.name}: leave ip_frag out, or match first"
        if field.in_discovery and self.known.get("icmpv6_code"):
            return f"only packets of icmpv6_code 0 have {field.name}: leave icmpv6_code out"
        return None


def _only_some(field: Field, pairs: str) -> str:
    return f"only some packets have {field.name}: match {pairs} as well"


def ethertype_pairs(packet_type: int) -> Iterable[tuple[str, int]]:
    """The dl_type that such a packet type implies, if any."""
    space, ethertype = divmod(packet_type, 1 << 16)
    return [("dl_type", ethertype)] if space == 1 else []


def _requires_tag(match: FieldMatch) -> bool:
    name, value, mask = match.field.name, match.value, match.mask
    if name in ("vlan_vid", "vlan_tci"):
        whole = VLAN_PRESENT if mask is None else number(mask)
        return isinstance(value, int) and bool(value & whole & VLAN_PRESENT)
    return name in ("dl_vlan", "vlan_pcp")
