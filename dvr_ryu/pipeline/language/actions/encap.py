"""encap and decap: put a header of Ethernet, NSH or MPLS before a packet, or take it off."""

from __future__ import annotations

import re
from typing import Any

from attrs import frozen
from ryu.ofproto import ofproto_v1_4_parser as parser

from dvr_ryu.pipeline.language.actions.base import Action, Argument, reads
from dvr_ryu.pipeline.language.encoding import nicira
from dvr_ryu.pipeline.language.fields import MPLS, MPLS_MULTICAST, NSH
from dvr_ryu.pipeline.language.flow_file import LineError
from dvr_ryu.pipeline.language.scope import Scope
from dvr_ryu.pipeline.language.suggestions import did_you_mean
from dvr_ryu.pipeline.language.tokens import KeyValue, read_key_value

_ETHERTYPES = 1 << 16
"""The name space of packet types that are Ethernet types."""
_HEADERS = {
    "ethernet": 0,
    "nsh": _ETHERTYPES | NSH,
    "mpls": _ETHERTYPES | MPLS,
    "mpls_mc": _ETHERTYPES | MPLS_MULTICAST,
}
"""Headers → the packet type of a packet that begins with one."""

_NEXT = 0xFFFE
"""The packet type that the header itself names (OFPHTO_USE_NEXT_PROTO)."""

_NSH_CLASS, _MD_TYPE, _TLV = 4, 1, 2
"""OFPPPC_NSH, and its properties."""
_LONGEST_TLV = 124


@frozen
class Tlv:
    """A value in an NSH header of type 2."""

    tlv_class: int
    type: int
    content: bytes

    def __str__(self) -> str:
        return f"tlv({self.tlv_class:#06x},{self.type},0x{self.content.hex()})"


@frozen
class Encap(Action):
    """Put a header before the packet; an NSH header may have a type of metadata, and values."""

    in_action_set = True

    header: str
    md_type: int | None = None
    tlvs: tuple[Tlv, ...] = ()

    def __str__(self) -> str:
        tokens = [] if self.md_type is None else [f"md_type={self.md_type}"]
        tokens += map(str, self.tlvs)
        inside = f"({','.join(tokens)})" if tokens else ""
        return f"encap({self.header}{inside})"

    def build(self) -> list[Any]:
        """Return Nicira's encap."""
        properties = []
        if self.md_type is not None:
            properties.append((_NSH_CLASS, _MD_TYPE, bytes([self.md_type])))
        for tlv in self.tlvs:
            head = tlv.tlv_class.to_bytes(2, "big") + bytes([tlv.type, len(tlv.content)])
            content = head + tlv.content
            # Open vSwitch counts the padding to 8 bytes as part of the value.
            properties.append((_NSH_CLASS, _TLV, content + bytes(-(len(content) + 4) % 8)))
        return [nicira.encap(_HEADERS[self.header], properties)]


@frozen
class Decap(Action):
    """Take the outer header off. The inner packet has this type (None: the one that the header
    names).
    """

    in_action_set = True

    packet_type: int | None = None

    def __str__(self) -> str:
        if self.packet_type is None:
            return "decap()"
        space, kind = divmod(self.packet_type, _ETHERTYPES)
        return f"decap(packet_type(ns={space},type={kind:#x}))"

    def build(self) -> list[Any]:
        """Return Nicira's decap."""
        return [nicira.decap(_NEXT if self.packet_type is None else self.packet_type)]


@frozen
class DecNshTtl(Action):
    """Take one off the time to live of the packet's NSH header."""

    in_action_set = True

    def __str__(self) -> str:
        return "dec_nsh_ttl"

    def build(self) -> list[Any]:
        """Return Ryu's NXActionDecNshTtl."""
        return [parser.NXActionDecNshTtl()]


@reads("encap")
def read_encap(scope: Scope, argument: Argument) -> Encap:
    """encap(ethernet), encap(nsh(md_type=1)), encap(mpls) and so on."""
    header = read_key_value(argument.present("a header", "(ethernet)"), argument.at)
    if header.key not in _HEADERS:
        hint = did_you_mean(header.key, _HEADERS) or f"; there are {', '.join(_HEADERS)}"
        raise LineError(argument.at, f"no header '{header.key}' can be put before a packet{hint}")
    scope.packet.encapsulate(_HEADERS[header.key])
    return _read_properties(scope, header)


def _read_properties(scope: Scope, header: KeyValue) -> Encap:
    md_type: int | None = None
    tlvs: list[Tlv] = []
    for each in Argument(header.value, header.value_at, header.value_at).settings():
        if header.key == "nsh" and each.key == "md_type":
            md_type = scope.plain(each.value, 8, each.value_at)
            if md_type not in (1, 2):
                raise LineError(each.value_at, "the type of metadata is 1 or 2")
        elif header.key == "nsh" and each.key == "tlv":
            tlvs.append(_read_tlv(scope, each))
        else:
            known = "md_type and tlv(…)" if header.key == "nsh" else "no properties"
            raise LineError(each.at, f"{header.key} has {known}, no '{each.key}'")
    return Encap(header.key, md_type, tuple(tlvs))


def _read_tlv(scope: Scope, setting: KeyValue) -> Tlv:
    tokens = Argument(setting.value, setting.value_at, setting.value_at).tokens()
    if len(tokens) != 3:
        raise LineError(setting.at, "write class, type and value: tlv(0x1000,10,0x12345678)")
    (tlv_class, class_at), (kind, kind_at), (content, at) = tokens
    if not re.fullmatch("0[xX]([0-9a-fA-F]{2})+", content):
        raise LineError(at, "write the value as 0x and pairs of hex digits")
    value = bytes.fromhex(content[2:])
    if len(value) > _LONGEST_TLV:
        raise LineError(at, f"the value has up to {_LONGEST_TLV} bytes")
    return Tlv(scope.plain(tlv_class, 16, class_at), scope.plain(kind, 8, kind_at), value)


@reads("decap")
def read_decap(scope: Scope, argument: Argument) -> Decap:
    """decap, decap(packet_type(ns=NAMESPACE,type=TYPE))."""
    inside: int | None = None
    if argument.text:
        found = re.fullmatch(r"packet_type\(\s*ns=(\w+)\s*,\s*type=(\w+)\s*\)", argument.text)
        if not found:
            raise LineError(argument.at, "write it as decap(packet_type(ns=0,type=0)), or decap")
        space, kind = (
            scope.plain(found[part], 16, argument.at + found.start(part)) for part in (1, 2)
        )
        inside = space * _ETHERTYPES | kind
    scope.packet.decapsulate()
    return Decap(inside)


@reads("dec_nsh_ttl")
def read_dec_nsh_ttl(scope: Scope, argument: Argument) -> DecNshTtl:
    """dec_nsh_ttl."""
    argument.absent("dec_nsh_ttl")
    if scope.packet.ethertype != NSH and not scope.packet.in_action_set:
        raise LineError(
            argument.end, f"dec_nsh_ttl is only for NSH: match dl_type={NSH:#x} as well"
        )
    return DecNshTtl()
