"""OpenFlow's HELLO: the controller's, and the negotiated version (OpenFlow 1.4, 6.3.1). Pure."""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterator

from dvr_ryu.switch.guard.openflow import HEADER, Kind, Malformed, version_name

_ELEMENT = struct.Struct("!HH")
"""Type, and length without padding."""
_BITMAP = 1
"""OFPHET_VERSIONBITMAP"""
_WORD = 4
"""A bitmap consists of integers of so many bytes."""
_HELLO_FAILED = struct.pack("!HH", 0, 0)
"""OFPET_HELLO_FAILED, OFPHFC_INCOMPATIBLE"""


def hello(spoken: Collection[int]) -> bytes:
    """The HELLO of a controller that speaks these versions."""
    bitmap = sum(1 << version for version in spoken).to_bytes(_WORD, "big")
    element = _ELEMENT.pack(_BITMAP, _ELEMENT.size + len(bitmap)) + bitmap
    return HEADER.pack(max(spoken), Kind.HELLO, HEADER.size + len(element), 0) + element


def negotiated(message: bytes, spoken: Collection[int]) -> int:
    """The version for the switch that sent this HELLO. Raises Malformed if its elements do not fit,
    or if controller and switch have no version in common.
    """
    bitmap = next((body for kind, body in _elements(message) if kind == _BITMAP), None)
    if bitmap is None:
        version = min(message[0], max(spoken))
        common = {version} & set(spoken)
        theirs = {message[0]}
    else:
        theirs = _versions(bitmap)
        common = theirs & set(spoken)
    if common:
        return max(common)
    ours = " and ".join(version_name(each) for each in sorted(spoken))
    offered = ", ".join(version_name(each) for each in sorted(theirs)) or "no version"
    reason = (
        f"the switch speaks OpenFlow {offered}, the controller {ours}: name one in its protocols"
    )
    raise Malformed(
        reason, _refusal(message, max(spoken), f"the controller speaks OpenFlow {ours}")
    )


def _elements(message: bytes) -> Iterator[tuple[int, bytes]]:
    at = HEADER.size
    while at < len(message):
        if len(message) - at < _ELEMENT.size:
            raise Malformed("a HELLO with a cut element")
        kind, length = _ELEMENT.unpack_from(message, at)
        if length < _ELEMENT.size or at + length > len(message):
            raise Malformed(f"a HELLO with an element of length {length}")
        yield kind, message[at + _ELEMENT.size : at + length]
        at += (length + 7) // 8 * 8


def _versions(bitmap: bytes) -> set[int]:
    """The versions whose bits are set, up to the largest that a header's byte can name."""
    if not bitmap or len(bitmap) % _WORD:
        raise Malformed(f"a HELLO with a bitmap of {len(bitmap)} bytes")
    integers = struct.unpack(f"!{len(bitmap) // _WORD}I", bitmap)[: 256 // 32]
    return {
        32 * at + bit
        for at, integer in enumerate(integers)
        for bit in range(32)
        if integer & (1 << bit)
    }


def _refusal(message: bytes, ours: int, text: str) -> bytes:
    """The error that answers a HELLO without a common version."""
    body = _HELLO_FAILED + text.encode()
    version = min(max(message[0], 1), ours)
    xid = HEADER.unpack_from(message)[3]
    return HEADER.pack(version, Kind.ERROR, HEADER.size + len(body), xid) + body
