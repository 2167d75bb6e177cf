"""Nicira's actions that Ryu 4.34 writes wrongly, or has no class for, as bytes of our own.

Ryu gives a Nicira action a length that is a multiple of 8, but not always as many bytes; what
follows at the top of a flow fills the gap, what follows within another action does not. And it has
no class for clone. `NXActionUnknown`, Ryu's class for any Nicira action, carries both. The layouts
are those of struct nx_action_* in Open vSwitch's lib/ofp-actions.c.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Any

from ryu.ofproto import nicira_ext
from ryu.ofproto import ofproto_v1_4 as ofp
from ryu.ofproto import ofproto_v1_4_parser as parser

_CLONE, _LEARN2 = 42, 45
"""NXAST_CLONE, NXAST_LEARN2."""
_LEARN_HEAD = 22
"""Bytes of struct nx_action_learn behind its subtype; what is learned follows."""


def clone(actions: Iterable[Any]) -> Any:
    """struct nx_action_clone: 6 bytes of padding, then the actions."""
    return parser.NXActionUnknown(_CLONE, bytes(6) + packed(actions))


def ct(flags: int, zone_field: str, zone: int, table: int, alg: int, actions: Iterable[Any]) -> Any:
    """struct nx_action_conntrack: `zone` is a number, or bits of the field named so."""
    head = struct.pack("!HIHB3xH", flags, header(zone_field), zone, table, alg)
    return parser.NXActionUnknown(nicira_ext.NXAST_CT, head + packed(actions))


def learn2(learn: Any, limit: int, result: tuple[str, int] | None) -> Any:
    """struct nx_action_learn2: a learn, up to `limit` flows (0: any number), and the bit that is
    written.
    """
    name, bit = result or ("", 0)
    body = bytes(learn.serialize_body())
    more = struct.pack("!IH2x", limit, bit) + (header(name).to_bytes(4, "big") if name else b"")
    return parser.NXActionUnknown(_LEARN2, body[:_LEARN_HEAD] + more + body[_LEARN_HEAD:])


def header(field: str) -> int:
    """The number that stands for a field, by Ryu's name; 0 for none."""
    if not field:
        return 0
    content = bytearray()
    ofp.oxm_serialize_header(ofp.oxm_from_user_header(field), content, 0)
    return int.from_bytes(content, "big")


def packed(actions: Iterable[Any]) -> bytes:
    """The actions one after another, each as long as it says."""
    content = bytearray()
    for action in actions:
        start = len(content)
        action.serialize(content, start)
        content += bytes(start + action.len - len(content))
    return bytes(content)
