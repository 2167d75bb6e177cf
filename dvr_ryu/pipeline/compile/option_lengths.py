"""Compares installed instructions with ours although a switch reports them changed: with tunnels'
options (tun_metadata) at the length that they have in its table of Geneve options. Pure.

Only our own bytes are parsed. The switch's bytes are compared and never parsed.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from dvr_ryu.pipeline.compile.flow_bytes import VALUE, is_option

_HEAD = struct.Struct("!HH")
"""The head of an instruction and of an action: type, length."""
_NICIRA_HEAD = struct.Struct("!HHIH")
_NICIRA = 0xFFFF, 0x2320
"""The type of an experimenter's action, and the experimenter."""
_WITH_ACTIONS, _ACTIONS_AT = (3, 4), 8
"""OFPIT_WRITE_ACTIONS and OFPIT_APPLY_ACTIONS."""
_LENGTH = 3
"""Offset of the length in an OXM header."""

_FIELD_NAMES_AT = {
    6: (16, 20), 10: (28,), 13: (24,), 15: (12,), 27: (12,), 28: (12,), 35: (12,), 49: (14,),
    50: (10,),
}  # fmt: skip
"""NXAST_*: REG_MOVE, MULTIPATH, BUNDLE_LOAD, OUTPUT_REG, STACK_PUSH, STACK_POP, CT,
CHECK_PKT_LARGER, DELETE_FIELD → the offsets of OXM headers in them."""
_ACTIONS_IN = {35: 24, 42: 16}
"""CT, CLONE → the offset of the actions in them."""
_LEARN, _LEARN2, _SPECS_AT, _RESULT_AT = 16, 45, 32, 40
_FLAGS_AT, _WRITES_RESULT = 24, 4
_OUTPUT = 2


def same_but_option_lengths(installed: bytes, desired: bytes) -> bool:
    """Whether a flow's installed value equals the desired one, which is ours, apart from the
    lengths in tunnels' options' OXM headers.
    """
    if len(installed) != len(desired):
        return False
    relabelled = bytearray(installed)
    for at in _field_names(desired):
        if is_option(desired[at : at + _HEAD.size]):
            relabelled[at + _LENGTH] = desired[at + _LENGTH]
    return relabelled == desired


def _field_names(value: bytes) -> Iterator[int]:
    """Offsets of the OXM headers in a value. Actions name the fields that they use by them."""
    for at, end in _chunks(value, VALUE.size, len(value)):
        if _HEAD.unpack_from(value, at)[0] in _WITH_ACTIONS:
            yield from _in_actions(value, at + _ACTIONS_AT, end)


def _chunks(value: bytes, at: int, end: int) -> Iterator[tuple[int, int]]:
    """Start and end of each instruction, or of each action."""
    while at < end:
        after = at + _HEAD.unpack_from(value, at)[1]
        yield at, after
        at = after


def _in_actions(value: bytes, start: int, end: int) -> Iterator[int]:
    for at, after in _chunks(value, start, end):
        if _HEAD.unpack_from(value, at)[0] != _NICIRA[0]:
            continue
        kind, _, experimenter, subtype = _NICIRA_HEAD.unpack_from(value, at)
        if (kind, experimenter) != _NICIRA:
            continue
        yield from (at + name for name in _FIELD_NAMES_AT.get(subtype, ()))
        if subtype in _ACTIONS_IN:
            yield from _in_actions(value, at + _ACTIONS_IN[subtype], after)
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
