"""Splits flows as OpenFlow bytes into two parts: flows with the same identity replace each other,
and the value is the rest.

A flow-mod and a dump lay a flow out alike, in OpenFlow 1.3 as in 1.4; 1.3 only has zeroes instead
of the importance. The identity is table, priority and match; the value is timeouts, flags,
importance, cookie and instructions. This module splits one flow-mod; `flow_stats` splits the many
answers of a dump, and `flow_mods` makes messages of the parts. Offsets are those of ofp_flow_mod
and ofp_flow_stats in the OpenFlow specification.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from dvr_ryu.pipeline.language.encoding.layout import MATCH, padded

IDENTITY = struct.Struct("!BH")
"""The head of an identity: table, priority. The fields of the match follow."""
VALUE = struct.Struct("!HHHHQ")
"""The head of a value: idle and hard timeout, flags, importance, cookie. The instructions follow.
"""
FLOW_MOD = struct.Struct("!BBHIQQBBHHHIIIHH")

TIMEOUTS = 4
"""Bytes of a value that hold the idle and the hard timeout."""
_FIELD_HEAD = 4
_LONGEST_KNOWN = 512
"""Bytes of the longest match whose kind is remembered: a switch may report longer ones."""
_MOST_KNOWN = 16
"""Kinds of one length that are remembered: trying more takes longer than sorting the fields."""


class FlowBytes(NamedTuple):
    """A flow in two parts. A flow replaces another of the same identity. Flows with the same value
    do the same.
    """

    identity: bytes
    value: bytes


def split_flow_mod(message: bytes) -> FlowBytes:
    """The flow that a flow-mod message, header included, adds."""
    numbers = FLOW_MOD.unpack_from(message)
    cookie, table, priority = numbers[4], numbers[6], numbers[10]
    rest = *(numbers[at] for at in (8, 9, 14, 15)), cookie
    _, match_length = MATCH.unpack_from(message, FLOW_MOD.size)
    (fields,) = canonical_matches(
        [message[FLOW_MOD.size + MATCH.size : FLOW_MOD.size + match_length]]
    )
    instructions = message[FLOW_MOD.size + padded(match_length) :]
    return FlowBytes(IDENTITY.pack(table, priority) + fields, VALUE.pack(*rest) + instructions)


class _Kind(NamedTuple):
    """Matches whose fields are in order: a mask of their heads' bytes, and these heads."""

    mask: bytes
    heads: bytes

    def has(self, matches: Sequence[bytes]) -> bool:
        """Whether all these matches, of its length, are of this kind."""
        joined = int.from_bytes(b"".join(matches), "big")
        mask = int.from_bytes(self.mask * len(matches), "big")
        return joined & mask == int.from_bytes(self.heads * len(matches), "big")


_kinds_in_order: dict[int, list[_Kind]] = defaultdict(list)
"""Length of a match → the known kinds of that length: about one for each kind of line."""


def canonical_matches(matches: Sequence[bytes]) -> Sequence[bytes]:
    """Matches, all of one length, with their fields in one order: first OpenFlow's own by number,
    so that each follows the fields that it requires; then those of extensions. Switches and Ryu
    each use another order. Tunnels' options are as short as they can be. Raises ValueError if the
    last field of a match does not fit into it.
    """
    known = _kinds_in_order[len(matches[0])] if len(matches[0]) <= _LONGEST_KNOWN else []
    if any(kind.has(matches) for kind in known):
        return matches
    return [
        match if any(kind.has([match]) for kind in known) else _ordered(match, known)
        for match in matches
    ]


def _ordered(match: bytes, known: list[_Kind]) -> bytes:
    """The match with its fields in order. A match that is in order already has its kind remembered,
    unless another value could make one of its options shorter.
    """
    fields: list[tuple[int, bytes]] = []
    mask, may_shrink = bytearray(), False
    at, end = 0, len(match)
    while at < end:
        after = at + _FIELD_HEAD + (match[at + 3] if at + 3 < end else 0)
        if after > end:
            raise ValueError("a match whose last field is cut")
        field = match[at:after]
        if is_option(field):
            field = _shortest(field)
            may_shrink |= field[3] > _SHORTEST_OPTION * (1 + (field[2] & 1))
        fields.append((_rank(match[at : at + 3]), field))
        mask += b"\xff" * _FIELD_HEAD + bytes(match[at + 3])
        at = after
    ordered = b"".join(field for _, field in sorted(fields))
    if ordered == match and not may_shrink and len(known) < _MOST_KNOWN:
        heads = bytes(byte & masked for byte, masked in zip(match, mask, strict=True))
        known.append(_Kind(bytes(mask), heads))
    return ordered


def _rank(head: bytes) -> int:
    """OpenFlow's own fields come before others, the packet type before fields that require it."""
    if head == _PACKET_TYPE:
        return 0
    return 1 if head.startswith(_OPENFLOW) else 2


def is_option(field: bytes) -> bool:
    """Whether bytes begin with the OXM header of tun_metadata0 to tun_metadata63. A switch reports
    such a field, and such a header alone, with the length from its table of Geneve options, not
    with the length in our message.
    """
    return field[:2] == _NICIRA and field[2] >> 1 in _OPTIONS


def _shortest(field: bytes) -> bytes:
    """The option without the leading 32-bit words that are zero and outside of its mask."""
    masked, content = field[2] & 1, field[_FIELD_HEAD:]
    length = len(content) // (1 + masked)
    if length > _LONGEST_OPTION:
        return field
    parts = [content[:length].lstrip(b"\0"), content[length:].lstrip(b"\0")][: 1 + masked]
    head = max(1, (max(map(len, parts)) + 3) // 4)
    short = [part.rjust(4 * head, b"\0") for part in parts]
    return field[:3] + bytes([4 * head * len(short)]) + b"".join(short)


_NICIRA, _OPTIONS = b"\x00\x01", range(40, 104)
"""NXM_NX_TUN_METADATA0 to 63."""
_SHORTEST_OPTION, _LONGEST_OPTION = 4, 124
"""Bytes of a value."""
_OPENFLOW = b"\x80\x00"
_PACKET_TYPE = _OPENFLOW + bytes([44 << 1])


def may_lapse(value: bytes) -> bool:
    """Whether the switch may remove the flow by itself, after a timeout."""
    return value[:TIMEOUTS] != bytes(TIMEOUTS)


def table_of(identity: bytes) -> int:
    """The table in a flow's identity."""
    return identity[0]


def cookie_of(value: bytes) -> int:
    """The cookie in a flow's value."""
    cookie: int = VALUE.unpack_from(value)[4]
    return cookie


def importance_of(value: bytes) -> int:
    """The importance in a flow's value."""
    importance: int = VALUE.unpack_from(value)[3]
    return importance
