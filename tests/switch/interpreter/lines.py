"""Single flow lines for the interpreter and a real switch: each in a table of its own, and packets
that reach it.

Table 0 sends a packet to the line by its source MAC, with the registers that the line matches.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator

from attrs import evolve, frozen

from dvr_ryu.errors import DvrError, Location
from dvr_ryu.pipeline.language.field_match import FieldMatch
from dvr_ryu.pipeline.language.fields import IP, IP6
from dvr_ryu.pipeline.language.flow import Flow
from dvr_ryu.pipeline.language.operands import PortName, fill, number
from dvr_ryu.pipeline.language.pipeline import Block, Pipeline, Table
from dvr_ryu.pipeline.language.syntax import parse_flow
from dvr_ryu.pipeline.run.headers import Fields, put
from dvr_ryu.pipeline.run.packet import Packet, is_metadata
from dvr_ryu.pipeline.run.ports import LOCAL, BridgePort

BRIDGE = "judged"
PORTS = (
    BridgePort(BRIDGE, LOCAL),
    BridgePort("p1", 1),
    BridgePort("p2", 2),
    BridgePort("patch-int", 3),
    BridgePort("tagged", 4, tag=5),
    BridgePort("shy", 5, tag=5, protected=True),
    BridgePort("shyer", 6, protected=True),
)
FIRST = 10
"""The table of the first line: lines name tables before it."""
MOST = 240
"""Lines of one pipeline."""
_LINE_MAC = 0x020000000000
_READABLE = ("reg", "metadata", "pkt_mark", "tun_id")
"""Fields that table 0 can write for a line that matches them."""


@frozen
class Line:
    """A line in its table."""

    text: str
    flow: Flow
    table: int

    @property
    def mac(self) -> int:
        """The source MAC of its packets."""
        return _LINE_MAC | self.table

    def settable(self) -> bool:
        """Whether table 0 can make a packet match it: nothing else writes other such fields."""
        return all(
            not is_metadata(each.field.name) or each.field.name.startswith((*_READABLE, "in_port"))
            for each in self.flow.match
        )

    def dispatch(self) -> str:
        """The line of table 0 that leads here."""
        loads = [
            f"set_field:{number(each.value):#x}->{each.field.name}"
            for each in self.flow.match
            if each.field.name.startswith(_READABLE)
        ]
        mac = ":".join(f"{byte:02x}" for byte in self.mac.to_bytes(6, "big"))
        actions = ",".join([*loads, f"resubmit(,{self.table})"])
        return f"table=0,priority=1,dl_src={mac} actions={actions}"


def readable(texts: Iterable[str]) -> list[Line]:
    """The lines that the language has, and that a packet can be made to match."""
    lines: list[Line] = []
    for text in dict.fromkeys(texts):
        table = FIRST + len(lines)
        try:
            line = Line(text, filled(parse_flow(f"table={table},{text}")), table)
        except (DvrError, KeyError):
            continue
        if line.settable() and len(lines) < MOST:
            lines.append(line)
    return lines


def filled(flow: Flow) -> Flow:
    """The flow with the numbers of ports."""
    numbers = {port.name: port.number for port in PORTS}
    return fill(flow, lambda each: numbers[each.name] if isinstance(each, PortName) else 0)


def pipeline(lines: Iterable[str]) -> Pipeline:
    """The pipeline of such lines."""
    tables: dict[int, list[Flow]] = {}
    for text in lines:
        flow = parse_flow(text)
        tables.setdefault(flow.table, []).append(evolve(flow, sentence=text))
    location = Location("lines", 1, 1, "")
    return Pipeline(
        BRIDGE,
        "lines",
        tuple(
            Table(each, f"TABLE_{each}", "", (Block(None, tuple(flows)),), location)
            for each, flows in sorted(tables.items())
        ),
    )


def packet_for(line: Line, dice: random.Random) -> tuple[str, Packet]:
    """A packet that the line may match, and the port where it comes in."""
    fields: Fields = {"dl_src": line.mac, "dl_dst": dice.choice([line.mac, 0x0200000000AA])}
    in_port = dice.choice(["p1", "p2", "tagged", "shy"])
    whole = [each for each in line.flow.match if not is_metadata(each.field.name)]
    known = {each.field.name: number(each.value) for each in whole}
    fields["dl_type"] = known.get("dl_type", dice.choice([IP, IP, 0x0806, IP6, 0x88B5]))
    fields |= dict(_headers(fields["dl_type"], known, dice))
    for each in line.flow.match:
        if each.field.name == "in_port":
            in_port = next((p.name for p in PORTS if p.number == number(each.value)), in_port)
        elif each.field.name != "dl_type" and not is_metadata(each.field.name):
            _meet(fields, each, dice)
    if "vlan_tci" not in fields and dice.random() < 0.2:
        put(fields, "vlan_tci", 0x1000 | dice.choice([5, 6]))
    return in_port, Packet(fields)


def _meet(fields: Fields, match: FieldMatch, dice: random.Random) -> None:
    value, mask = number(match.value), match.whole_mask
    name = match.field.name
    if name == "vlan_vid":
        if value & 0x1000:
            put(fields, "vlan_tci", 0x1000 | value & 0xFFF)
        return
    others = dice.getrandbits(match.field.bits) & ~mask
    if name in ("tcp_flags", "nw_frag", "dl_src", "vlan_pcp", "dl_dst"):
        others = 0
    put(fields, name, value | others)


def _headers(dl_type: int, known: dict[str, int], dice: random.Random) -> Iterator[tuple[str, int]]:
    if dl_type in (0x0806, 0x8035):
        yield from {
            "arp_op": dice.choice([1, 2]), "arp_spa": 0x0A000001, "arp_tpa": 0x0A000002,
            "arp_sha": 0x0200000000AA, "arp_tha": 0,
        }.items()  # fmt: skip
    elif dl_type in (0x8847, 0x8848):
        yield from {"mpls_label": 16, "mpls_tc": 1, "mpls_bos": 1, "mpls_ttl": 60}.items()
    elif dl_type in (IP, IP6):
        protocol = known.get("nw_proto", dice.choice([6, 17, 47]))
        yield from {
            "nw_proto": protocol, "nw_ttl": dice.choice([1, 2, 64]), "nw_tos": 0x28,
            "nw_ecn": dice.choice([0, 1]), "nw_frag": 0,
        }.items()  # fmt: skip
        ends = ("nw_src", "nw_dst") if dl_type == IP else ("ipv6_src", "ipv6_dst")
        yield from zip(ends, (0x0A000001, 0x0A000002), strict=True)
        if dl_type == IP6:
            yield "ipv6_label", 0
        if name := {6: "tcp", 17: "udp", 132: "sctp"}.get(protocol):
            yield from ((f"{name}_src", 1234), (f"{name}_dst", 80))
        if protocol == 6:
            yield "tcp_flags", 0x002
        if icmp := {1: "icmp", 58: "icmpv6"}.get(protocol):
            yield from ((f"{icmp}_type", 8 if protocol == 1 else 135), (f"{icmp}_code", 0))
        if protocol == 58:
            yield "nd_target", 1
            yield "nd_tll" if known.get("icmpv6_type") == 136 else "nd_sll", 2
