"""Flows as OpenFlow bytes: what makes two flows the same one, and what else they say.

OpenFlow 1.3 and 1.4 lay a flow out alike, in a flow-mod and in a dump; only that 1.3 has zeroes in
place of the importance. Both are cut into an identity (table, priority, match) and a value
(timeouts, flags, importance, cookie, instructions): here a single flow-mod, many answers of a dump
in `flow_stats`; `flow_mods` makes messages of them again. Offsets are those of ofp_flow_mod and
ofp_flow_stats in the OpenFlow specification.
"""

from __future__ import annotations

import struct
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from dvr_ryu.pipeline.language.encoding.layout import MATCH, padded

IDENTITY = struct.Struct("!BH")
"""What an identity begins with: table, priority. The fields of the match follow."""
VALUE = struct.Struct("!HHHHQ")
"""What a value begins with: idle and hard timeout, flags, importance, cookie. The instructions
follow."""
FLOW_MOD = struct.Struct("!BBHIQQBBHHHIIIHH")

_TIMEOUTS = 4
"""How many bytes of a value are the idle and the hard timeout."""
_FIELD_HEAD = 4
_LONGEST_KNOWN = 512
"""Bytes of a match whose kind is remembered: a switch may tell of matches of any length."""
_MOST_KNOWN = 16
"""Kinds of matches of one length that are told from each other faster than they are sorted."""


class FlowBytes(NamedTuple):
    """A flow in two parts: flows with one identity replace each other, flows with one value do the
    same.
    """

    identity: bytes
    value: bytes


def split_flow_mod(message: bytes) -> FlowBytes:
    """The flow that a flow-mod message (header included) adds."""
    words = FLOW_MOD.unpack_from(message)
    cookie, table, priority = words[4], words[6], words[10]
    rest = *(words[at] for at in (8, 9, 14, 15)), cookie
    _, match_length = MATCH.unpack_from(message, FLOW_MOD.size)
    (fields,) = canonical_matches(
        [message[FLOW_MOD.size + MATCH.size : FLOW_MOD.size + match_length]]
    )
    instructions = message[FLOW_MOD.size + padded(match_length) :]
    return FlowBytes(IDENTITY.pack(table, priority) + fields, VALUE.pack(*rest) + instructions)


class _Kind(NamedTuple):
    """Matches whose fields are in order: where the fields' heads are, as a mask, and the heads."""

    mask: bytes
    heads: bytes

    def has(self, matches: Sequence[bytes]) -> bool:
        """Whether all these matches, of its length, are of this kind."""
        joined = int.from_bytes(b"".join(matches), "big")
        mask = int.from_bytes(self.mask * len(matches), "big")
        return joined & mask == int.from_bytes(self.heads * len(matches), "big")


_in_order: dict[int, list[_Kind]] = defaultdict(list)
"""Length of a match → the kinds of that length that were met. There are as many as there are kinds
of lines.
"""


def canonical_matches(matches: Sequence[bytes]) -> Sequence[bytes]:
    """Matches, all of one length, each with its fields in one order: OpenFlow's own by number, so
    that each follows what it requires; then the extensions'. Switches and Ryu each have an order of
    their own. Tunnels' options are as short as they can be. Raises ValueError where a match's
    fields do not fit into it.
    """
    known = _in_order[len(matches[0])] if len(matches[0]) <= _LONGEST_KNOWN else []
    if any(kind.has(matches) for kind in known):
        return matches
    return [
        match if any(kind.has([match]) for kind in known) else _ordered(match, known)
        for match in matches
    ]


def _ordered(match: bytes, known: list[_Kind]) -> bytes:
    """The match with its fields in order. If they were, its kind is remembered; but not that of
    an option which another value may make shorter.
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
    """OpenFlow's own fields before others, and the packet type before those that require it."""
    if head == _PACKET_TYPE:
        return 0
    return 1 if head.startswith(_OPENFLOW) else 2


def is_option(field: bytes) -> bool:
    """Whether a field's name, which may be followed by anything, is that of tun_metadata0 to
    tun_metadata63: a switch tells such a field, and its name alone, at the length that its table of
    Geneve options has, whatever length it was sent.
    """
    return field[:2] == _NICIRA and field[2] >> 1 in _OPTIONS


def _shortest(field: bytes) -> bytes:
    """The option without the words of 32 bits in front that are zero, and not looked at."""
    masked, content = field[2] & 1, field[_FIELD_HEAD:]
    length = len(content) // (1 + masked)
    if length > _LONGEST_OPTION:
        return field
    parts = [content[:length].lstrip(b"\0"), content[length:].lstrip(b"\0")][: 1 + masked]
    words = max(1, (max(map(len, parts)) + 3) // 4)
    short = [part.rjust(4 * words, b"\0") for part in parts]
    return field[:3] + bytes([4 * words * len(short)]) + b"".join(short)


_NICIRA, _OPTIONS = b"\x00\x01", range(40, 104)
"""NXM_NX_TUN_METADATA0 to 63."""
_SHORTEST_OPTION, _LONGEST_OPTION = 4, 124
"""Bytes of a value."""
_OPENFLOW = b"\x80\x00"
_PACKET_TYPE = _OPENFLOW + bytes([44 << 1])


def may_lapse(value: bytes) -> bool:
    """Whether a flow has a timeout, after which the switch removes it by itself."""
    return value[:_TIMEOUTS] != bytes(_TIMEOUTS)


def table_of(identity: bytes) -> int:
    """The table of the flow that has this identity."""
    return identity[0]


def cookie_of(value: bytes) -> int:
    """The cookie of the flow that has this value."""
    cookie: int = VALUE.unpack_from(value)[4]
    return cookie


def importance_of(value: bytes) -> int:
    """The importance of the flow that has this value."""
    importance: int = VALUE.unpack_from(value)[3]
    return importance
