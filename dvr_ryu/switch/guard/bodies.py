"""Checks the inside of a message, for each kind that is read. Pure.

A check returns nothing, or raises Malformed; the header's own length holds already. Ryu's parsers
read a message that passes without an exception, and in a time that its length bounds.
"""

from __future__ import annotations

import struct

from dvr_ryu.switch.guard.openflow import HEADER, MULTIPART_SIZE, V1_3, Malformed

MOST_ECHOED = 1 << 12
"""Bytes that an echo may carry. Open vSwitch sends none."""

_FEATURES_SIZE = 32
_ERROR_HEAD = struct.Struct("!HH")
_EXPERIMENTER_HEAD_SIZE = 16
_EXPERIMENTER_ERROR = 0xFFFF
_HELLO_FAILED = 0
_DESCRIPTION_SIZE = 1056
_STATUS_SIZE = 16
"""ofp_port_status, until the port's description."""
_LAST_REASON = 2
"""OFPPR_MODIFY, of OFPPR_ADD, OFPPR_DELETE and this."""
_PORT_SIZE_1_3 = 64
_PORT_HEAD = struct.Struct("!IHxx6sxx16sII")
"""ofp_port of OpenFlow 1.4, until its properties."""
_PROPERTY = struct.Struct("!HH")
_PROPERTY_SIZES = {0: 32, 1: 40}
"""Ethernet's and optical ports' properties, which have one length each."""
_EXPERIMENTER_PROPERTY, _LEAST_EXPERIMENTER = 0xFFFF, 12


def exactly(message: bytes, size: int, what: str) -> None:
    """The message is of just one length."""
    if len(message) != size:
        raise Malformed(f"{what} of {len(message)} bytes instead of {size}")


def at_least(message: bytes, size: int, what: str) -> None:
    """The message is not shorter than its fixed part."""
    if len(message) < size:
        raise Malformed(f"{what} of {len(message)} bytes; {size} is the least")


def echo(message: bytes) -> None:
    """An echo carries little: we send it back."""
    if len(message) > HEADER.size + MOST_ECHOED:
        raise Malformed(f"an echo of {len(message)} bytes; {HEADER.size + MOST_ECHOED} is the most")


def features(message: bytes) -> None:
    """ofp_switch_features"""
    exactly(message, _FEATURES_SIZE, "a features reply")


def experimenter(message: bytes) -> None:
    """An experimenter's head; the following bytes are not read."""
    at_least(message, _EXPERIMENTER_HEAD_SIZE, "an experimenter's message")


def error(message: bytes) -> None:
    """ofp_error_msg or ofp_error_experimenter_msg. A refused HELLO is the end of a connection."""
    at_least(message, HEADER.size + _ERROR_HEAD.size, "an error")
    kind, _ = _ERROR_HEAD.unpack_from(message, HEADER.size)
    if kind == _EXPERIMENTER_ERROR:
        at_least(message, HEADER.size + 2 * _ERROR_HEAD.size, "an experimenter's error")
    if kind == _HELLO_FAILED:
        raise Malformed("the switch refuses our HELLO: name OpenFlow 1.3 or 1.4 in its protocols")


def port_status(message: bytes, version: int) -> None:
    """ofp_port_status: a reason and one port."""
    at_least(message, _STATUS_SIZE, "a port status")
    reason = message[HEADER.size]
    if reason > _LAST_REASON:
        raise Malformed(f"a port status with reason {reason}")
    if _ports(message, _STATUS_SIZE, version) != 1:
        raise Malformed("a port status that is not of one port")


def description(message: bytes) -> None:
    """ofp_desc"""
    exactly(message, MULTIPART_SIZE + _DESCRIPTION_SIZE, "a description")


def ports(message: bytes, version: int) -> None:
    """A list of ports."""
    _ports(message, MULTIPART_SIZE, version)


def _ports(message: bytes, at: int, version: int) -> int:
    """The number of ports from here to the end of the message."""
    if version == V1_3:
        count, rest = divmod(len(message) - at, _PORT_SIZE_1_3)
        if rest:
            raise Malformed("a port description that is cut")
        return count
    count = 0
    while at < len(message):
        if len(message) - at < _PORT_HEAD.size:
            raise Malformed("a port description that is cut")
        length = _PORT_HEAD.unpack_from(message, at)[1]
        if length < _PORT_HEAD.size or at + length > len(message):
            raise Malformed(f"a port description of length {length}")
        _properties(message, at + _PORT_HEAD.size, at + length)
        at += length
        count += 1
    return count


def _properties(message: bytes, at: int, end: int) -> None:
    while at < end:
        if end - at < _PROPERTY.size:
            raise Malformed("a port description with a cut property")
        kind, length = _PROPERTY.unpack_from(message, at)
        least = _LEAST_EXPERIMENTER if kind == _EXPERIMENTER_PROPERTY else _PROPERTY.size
        if length < least or at + length > end or length != _PROPERTY_SIZES.get(kind, length):
            raise Malformed(f"a port description with a property {kind} of length {length}")
        at += (length + 7) // 8 * 8
