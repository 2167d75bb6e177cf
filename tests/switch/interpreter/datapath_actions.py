"""Runs datapath actions, as ofproto/trace prints them, on a packet: the judge's half.

It has no code in common with the interpreter that is judged, but for the value that a packet is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from dvr_ryu.pipeline.language import numbers
from dvr_ryu.pipeline.run.packet import Packet

_PRESENT, _VID, _PCP_AT = 0x1000, 0xFFF, 13
_NAMES: Mapping[str, Mapping[str, str]] = {
    "eth": {"src": "dl_src", "dst": "dl_dst"},
    "ipv4": {
        "src": "nw_src", "dst": "nw_dst", "proto": "nw_proto", "tos": "tos", "ttl": "nw_ttl",
        "frag": "nw_frag",
    },
    "ipv6": {
        "src": "ipv6_src", "dst": "ipv6_dst", "label": "ipv6_label", "tclass": "tos",
        "hlimit": "nw_ttl", "proto": "nw_proto", "frag": "nw_frag",
    },
    "arp": {
        "sip": "arp_spa", "tip": "arp_tpa", "op": "arp_op", "sha": "arp_sha", "tha": "arp_tha",
    },
    "tcp": {"src": "tcp_src", "dst": "tcp_dst"},
    "udp": {"src": "udp_src", "dst": "udp_dst"},
    "sctp": {"src": "sctp_src", "dst": "sctp_dst"},
    "icmp": {"type": "icmp_type", "code": "icmp_code"},
    "icmpv6": {"type": "icmpv6_type", "code": "icmpv6_code"},
    "nd": {"target": "nd_target", "sll": "nd_sll", "tll": "nd_tll"},
    "mpls": {"label": "mpls_label", "tc": "mpls_tc", "ttl": "mpls_ttl", "bos": "mpls_bos"},
}  # fmt: skip


_NOTHING = {"drop", "userspace", "sample", "ct", "ct_clear", "meter", "trunc"}
"""Actions that change neither the way nor the packet."""


class Unreadable(Exception):
    """Datapath actions that this module does not know."""


def split(text: str) -> Iterator[str]:
    """The parts between commas, but not those within parentheses."""
    depth, start = 0, 0
    for at, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and not depth:
            yield text[start:at]
            start = at + 1
    if text[start:]:
        yield text[start:]


class DatapathRun:
    """Runs actions. `ports`: the datapath's number, and the other end of a tunnel → name.
    `recirculated`: the actions for packets that come again.
    """

    def __init__(
        self,
        packet: Packet,
        ports: Mapping[tuple[int, int | None], str],
        recirculated: Mapping[str, str],
    ) -> None:
        self.recirculated = recirculated
        self.fields = dict(packet.without_metadata().fields)
        self.tags = [self.fields.pop(n) for n in ("vlan_tci", "inner_vlan_tci") if n in self.fields]
        self.size = packet.size
        self.ports = ports
        self.outputs: list[tuple[str, Packet]] = []
        self.hidden: list[dict[str, int]] = []

    def run(self, text: str) -> None:
        """Run actions. What follows a tnl_push is done on the underlay."""
        for action in split(text):
            if action.startswith("tnl_push("):
                self._tunnel_output(action)
                return
            self._one(action.strip())

    def _one(self, action: str) -> None:
        name, _, inside = action.partition("(")
        inside = inside[:-1]
        if re.fullmatch("[0-9]+", action):
            self._output(int(action))
        elif name == "set":
            kind, _, values = inside.partition("(")
            self._set(kind, values[:-1])
        elif name == "push_vlan":
            tag = dict(part.split("=") for part in split(inside))
            pcp = int(tag.get("pcp", "0"))
            self.tags.insert(0, int(tag["vid"]) | pcp << _PCP_AT | _PRESENT)
        elif name == "pop_vlan":
            del self.tags[0]
        elif name in ("clone", "recirc"):
            saved = dict(self.fields), list(self.tags)
            self.run(inside if name == "clone" else self.recirculated[inside])
            self.fields, self.tags = saved
        elif name == "push_mpls":
            label = dict(part.split("=") for part in split(inside))
            self.hidden.append(_above_ethernet(self.fields))
            for key in ("label", "tc", "ttl", "bos"):
                self.fields[f"mpls_{key}"] = _number(label[key])
            self.fields["dl_type"] = _number(label["eth_type"])
        elif name == "pop_mpls":
            _above_ethernet(self.fields)
            self.fields |= self.hidden.pop() if self.hidden else {}
            self.fields["dl_type"] = _number(inside.removeprefix("eth_type="))
        elif name not in _NOTHING:
            raise Unreadable(action)

    def _set(self, kind: str, values: str) -> None:
        if kind.startswith(("skb_priority", "skb_mark")):
            return
        if kind not in _NAMES:
            raise Unreadable(f"set({kind}")
        for part in split(values):
            key, _, value = part.partition("=")
            self._put(_NAMES[kind][key], value)

    def _put(self, name: str, text: str) -> None:
        value, _, mask = text.partition("/")
        number = _number(value)
        if mask:
            keep = ~_number(mask)
            number |= self._get(name) & keep
        if name == "tos":
            self.fields["nw_tos"], self.fields["nw_ecn"] = number & 0xFC, number & 3
        else:
            self.fields[name] = number

    def _get(self, name: str) -> int:
        if name == "tos":
            return self.fields.get("nw_tos", 0) | self.fields.get("nw_ecn", 0)
        return self.fields.get(name, 0)

    def _tunnel_output(self, text: str) -> None:
        """tnl_push(tnl_port(5),header(…ipv4(src=…,dst=…)…vxlan(…,vni=…)),out_port(…)),…"""
        found = re.search(r"tnl_port\((\d+)\).*ipv4\(src=[^,]*,dst=([^,]*),.*vni=(\w+)", text)
        if not found:
            raise Unreadable(text)
        self._output(int(found[1]), _number(found[2]), tun_id=_number(found[3]))

    def _output(self, number: int, end: int | None = None, **tunnel: int) -> None:
        fields = {**self.fields, **tunnel}
        for name, tag in zip(("vlan_tci", "inner_vlan_tci"), self.tags, strict=False):
            fields[name] = tag
        self.outputs.append((self.ports[number, end], Packet(fields, self.size)))


def _above_ethernet(fields: dict[str, int]) -> dict[str, int]:
    """Take the fields above Ethernet out, with the type that they have there."""
    return {name: fields.pop(name) for name in [*fields] if name not in ("dl_src", "dl_dst")}


def _number(text: str) -> int:
    if text in ("no", "first", "later"):
        return {"no": 0, "first": 1, "later": 3}[text]
    for notation in (numbers.MAC, numbers.IPV4, numbers.HEX, numbers.IPV6):
        try:
            return notation.read(text)
        except ValueError:
            continue
    raise Unreadable(text)
