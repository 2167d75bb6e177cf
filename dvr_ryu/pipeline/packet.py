"""What is known of a packet while the actions of its flow are read one by one: the headers that the
match, or an earlier action, gives it. OpenFlow refuses actions on headers that may not be there.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from dvr_ryu.pipeline.fields import IP, IP6, VLAN_PRESENT, Field, said

if TYPE_CHECKING:
    from dvr_ryu.pipeline.match import FieldMatch


class Packet:
    """`known` are fields that have one value for sure; `tagged`: there is a VLAN tag; `committing`:
    its connection is being written; `later`: what happens to it happens at the end of all tables,
    when nobody knows what it has become.
    """

    def __init__(self, known: Iterable[tuple[str, int]] = (), tagged: bool = False) -> None:
        self.known = dict(known)
        self.tagged = tagged
        self.committing = False
        self.later = False

    @classmethod
    def matched(cls, matches: Iterable[FieldMatch]) -> Packet:
        """A packet that these fields match."""
        each = tuple(matches)
        known = ((m.field.name, m.value) for m in each if m.mask is None)
        return cls(
            ((name, value) for name, value in known if isinstance(value, int)),
            any(map(_says_tagged, each)),
        )

    def copy(self) -> Packet:
        """The same packet, for actions that change a copy of it."""
        return Packet(self.known.items(), self.tagged)

    def becomes(self, ethertype: int) -> None:
        """MPLS labels were put on or taken off: what is inside is not known any more."""
        self.known = {"dl_type": ethertype}

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

    def lacks(self, field: Field) -> str | None:
        """What a flow must match for the packet to have the field for sure, or None if it has."""
        if field.name == "vlan_pcp":
            return None if self.tagged else "dl_vlan"
        present = set(self.known.items())
        if not field.requires or any(set(each) <= present for each in field.requires):
            return None
        return " or ".join(map(said, field.requires))


def _says_tagged(match: FieldMatch) -> bool:
    name, value, mask = match.field.name, match.value, match.mask
    if name in ("vlan_vid", "vlan_tci"):
        whole = VLAN_PRESENT if mask is None else mask
        return isinstance(value, int) and bool(value & whole & VLAN_PRESENT)
    return name in ("dl_vlan", "vlan_pcp")
