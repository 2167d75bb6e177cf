"""Whether a switch has the instructions that it was sent, though it tells them otherwise: it names
tunnels' options (tun_metadata) at the length that they have in its table. Pure.

The bytes that are looked through are our own. What a switch tells is compared, never read.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from dvr_ryu.pipeline.compile.flow_bytes import VALUE, is_option

_HEAD = struct.Struct("!HH")
"""What an instruction and an action begin with: its type, its length."""
_NICIRA_HEAD = struct.Struct("!HHIH")
_NICIRA = 0xFFFF, 0x2320
"""An experimenter's action, and the experimenter."""
_WITH_ACTIONS, _ACTIONS_AT = (3, 4), 8
"""OFPIT_WRITE_ACTIONS and OFPIT_APPLY_ACTIONS."""
_LENGTH = 3
"""Where a name has the length."""

_NAMES = {6: (16, 20), 10: (28,), 13: (24,), 15: (12,), 27: (12,), 28: (12,), 35: (12,), 49: (14,),
          50: (10,)}  # fmt: skip
"""NXAST_*: REG_MOVE, MULTIPATH, BUNDLE_LOAD, OUTPUT_REG, STACK_PUSH, STACK_POP, CT,
CHECK_PKT_LARGER, DELETE_FIELD → where they have the names of fields."""
_INNER = {35: 24, 42: 16}
"""CT, CLONE → where they have actions."""
_LEARN, _LEARN2, _SPECS_AT, _RESULT_AT = 16, 45, 32, 40
_FLAGS_AT, _WRITES_RESULT = 24, 4
_OUTPUT = 2


def alike(installed: bytes, wanted: bytes) -> bool:
    """Whether what a switch tells of a flow's value is `wanted`, which is ours, but for the lengths
    in the names of tunnels' options.
    """
    if len(installed) != len(wanted):
        return False
    told = bytearray(installed)
    for at in _names(wanted):
        if is_option(wanted[at : at + _HEAD.size]):
            told[at + _LENGTH] = wanted[at + _LENGTH]
    return told == wanted


def _names(value: bytes) -> Iterator[int]:
    """Where the instructions of a flow's value name fields that actions read or write."""
    for at, end in _pieces(value, VALUE.size, len(value)):
        if _HEAD.unpack_from(value, at)[0] in _WITH_ACTIONS:
            yield from _in_actions(value, at + _ACTIONS_AT, end)


def _pieces(value: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Where instructions, or actions, begin and end."""
    while at < end:
        after = at + _HEAD.unpack_from(value, at)[1]
        yield at, after
        at = after


def _in_actions(value: bytes, start: int, end: int) -> Iterator[int]:
    for at, after in _pieces(value, start, end):
        if _HEAD.unpack_from(value, at)[0] != _NICIRA[0]:
            continue
        kind, _, experimenter, subtype = _NICIRA_HEAD.unpack_from(value, at)
        if (kind, experimenter) != _NICIRA:
            continue
        yield from (at + name for name in _NAMES.get(subtype, ()))
        if subtype in _INNER:
            yield from _in_actions(value, at + _INNER[subtype], after)
        elif subtype in (_LEARN, _LEARN2):
            yield from _in_learn(value, at, after, subtype == _LEARN2)


def _in_learn(value: bytes, start: int, end: int, second: bool) -> Iterator[int]:
    at = start + _SPECS_AT
    if second:
        at = start + _RESULT_AT
        if value[start + _FLAGS_AT + 1] & _WRITES_RESULT:
            yield at
            at += _HEAD.size
    while at + 2 <= end and (head := int.from_bytes(value[at : at + 2], "big")):
        width, immediate, kind = head & 0x7FF, head >> 13 & 1, head >> 11 & 3
        at += 2
        if immediate:
            at += (width + 15) // 16 * 2
        else:
            yield at
            at += 6
        if kind != _OUTPUT:
            yield at
            at += 6
