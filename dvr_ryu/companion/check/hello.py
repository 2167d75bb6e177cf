"""Exchange OpenFlow's HELLO over a connected socket to detect a controller at the other end.

It sends one message and reads one. It opens and closes no connection, and works over TCP and TLS
alike.
"""

from __future__ import annotations

import socket
import ssl
import struct
import time

from dvr_ryu.deadline import seconds_left

_HEADER = struct.Struct("!BBHI")
"""Version, type, length of the whole message, transaction id."""
_HELLO, _ERROR = 0, 1
_VERSION_BITMAP = 1
_LONGEST = 1024
"""The most bytes read of a HELLO: one with every possible version takes 48."""

VERSIONS = {4: "1.3", 5: "1.4"}
"""OpenFlow's numbers of the versions that the controller of this project speaks."""


class NoHello(Exception):
    """The reply is not the HELLO of a controller that bridges can use; the text describes it."""


def exchange(connected: socket.socket, seconds: float) -> str:
    """Send a HELLO and return the OpenFlow version, "1.4", that both ends speak.

    All of it takes `seconds` at most. Raise NoHello, or OSError where the connection fails.
    """
    connected.settimeout(seconds)
    connected.sendall(_our_hello())
    return _hear(connected, seconds)


def exchange_over_tls(connected: socket.socket, seconds: float, context: ssl.SSLContext) -> str:
    """The same over TLS. Raise ssl.SSLError where the two ends do not agree on it.

    It reads from the controller first: with TLS 1.3 this end considers the handshake done before
    the other has checked our certificate. Our data would then reset the connection, and the other's
    reason would be lost.
    """
    connected.settimeout(seconds)
    with context.wrap_socket(connected) as secured:
        version = _hear(secured, seconds)
        secured.sendall(_our_hello())
        return version


def _hear(connected: socket.socket, seconds: float) -> str:
    """Read a HELLO; return the version that both ends speak."""
    deadline = time.monotonic() + seconds
    version, kind, length, _ = _HEADER.unpack(_receive(connected, _HEADER.size, deadline))
    if kind == _ERROR and version:
        raise NoHello("it refuses our HELLO")
    if kind != _HELLO or not version or not _HEADER.size <= length <= _LONGEST:
        raise NoHello("what answers does not speak OpenFlow")
    elements = _receive(connected, length - _HEADER.size, deadline)
    both = sorted(_spoken(version, elements) & VERSIONS.keys())
    if not both:
        raise NoHello(f"it does not speak OpenFlow {' or '.join(VERSIONS.values())}")
    return VERSIONS[both[-1]]


def _our_hello() -> bytes:
    bitmap = sum(1 << number for number in VERSIONS)
    element = struct.pack("!HHI", _VERSION_BITMAP, 8, bitmap)
    return _HEADER.pack(max(VERSIONS), _HELLO, _HEADER.size + len(element), 1) + element


def _receive(connected: socket.socket, count: int, deadline: float) -> bytes:
    data = b""
    while len(data) < count:
        connected.settimeout(seconds_left(deadline))
        more = connected.recv(count - len(data))
        if not more:
            raise NoHello("it closes the connection without a HELLO")
        data += more
    return data


def _spoken(version: int, elements: bytes) -> set[int]:
    """The versions of a HELLO: those of its bitmap, else all up to the header's."""
    while len(elements) >= 4:
        kind, length = struct.unpack_from("!HH", elements)
        if not 4 <= length <= len(elements):
            break
        if kind == _VERSION_BITMAP and length >= 8:
            (bitmap,) = struct.unpack_from("!I", elements, 4)
            return {number for number in range(32) if bitmap >> number & 1}
        elements = elements[(length + 7) // 8 * 8 :]
    return set(range(1, version + 1))
