"""Netlink inside a namespace, in the kernel's own bytes: one socket, many requests in one write.

A host has thousands of addresses, routes and devices: an object for each, and a wait for each
answer, would take longer than the kernel does. What a request says is up to the caller.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from struct import Struct
from typing import NamedTuple, TypeVar

from dvr_ryu.companion.providers.kernel.refusal import refusal
from dvr_ryu.companion.providers.netlink.namespaces import inside
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.errors import HostError

Item = TypeVar("Item")

GONE = (errno.ENODEV, errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL)
"""What the kernel answers when asked to remove what is not there."""
AT_ONCE = 64
"""Requests in one write: their answers must find room in the socket's buffer."""

REPLACE, EXCLUSIVE, CREATE, APPEND = 0x100, 0x200, 0x400, 0x800
"""What a request that makes something says if it is there already, or is not there yet."""
_REQUEST, _ACKNOWLEDGE, _INTERRUPTED, _DUMP = 0x1, 0x4, 0x10, 0x300
_ERROR, _DONE = 2, 3
_BUFFER = 65536
_SOL_NETLINK, _GET_STRICT_CHECK = 270, 12

_HEADER = Struct("=IHHII")
_ATTRIBUTE = Struct("=HH")
_NUMBER = Struct("=I")
_ANSWER = Struct("=i")
_NESTED = 0x8000

# <linux/if_link.h>
GET_LINK = 18
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MTU, IFLA_LINK, IFLA_LINKINFO = 1, 3, 4, 5, 18
IFLA_GROUP, IFLA_NET_NS_FD, IFLA_EXT_MASK, IFLA_INFO_KIND, IFLA_INFO_DATA = 27, 28, 29, 1, 2
IFLA_NUM_TX_QUEUES, IFLA_NUM_RX_QUEUES = 31, 32
SKIP_STATISTICS = 1 << 3
_LINK = Struct("=BxHiII")


class Request(NamedTuple):
    """What the kernel is asked to make or remove, and the resource that this is about."""

    resource: Resource
    type: int
    flags: int
    body: bytes


class Answer(NamedTuple):
    """One object of a dump: its fixed header, and its attributes by number."""

    header: bytes
    attributes: dict[int, bytes]


class Row(NamedTuple):
    """A device as the kernel numbers it."""

    number: int
    flags: int
    attributes: dict[int, bytes]


# Attributes ---------------------------------------------------------------------------------------


def attribute(number: int, value: bytes) -> bytes:
    """An attribute's bytes, filled up to a multiple of four."""
    return _ATTRIBUTE.pack(4 + len(value), number) + value + bytes(-len(value) % 4)


def number(kind: int, value: int) -> bytes:
    """An attribute that holds a number of 32 bits."""
    return attribute(kind, _NUMBER.pack(value))


def text(kind: int, value: str) -> bytes:
    """An attribute that holds a name."""
    return attribute(kind, value.encode(errors="surrogateescape") + b"\0")


def ipv4(kind: int, value: str) -> bytes:
    """An attribute that holds an IPv4 address."""
    return attribute(kind, socket.inet_aton(value))


def mac(kind: int, value: str) -> bytes:
    """An attribute that holds a MAC."""
    return attribute(kind, bytes.fromhex(value.replace(":", "")))


def nest(kind: int, *attributes: bytes) -> bytes:
    """An attribute that holds attributes."""
    return attribute(kind | _NESTED, b"".join(attributes))


def attributes_of(data: bytes) -> dict[int, bytes]:
    """The attributes that bytes hold, by number."""
    found: dict[int, bytes] = {}
    place, end = 0, len(data)
    while place < end:
        length, kind = _ATTRIBUTE.unpack_from(data, place)
        found[kind & ~_NESTED] = data[place + 4 : place + length]
        place += length + 3 & ~3
    return found


def as_number(value: bytes) -> int:
    """A number of 32 bits."""
    (number,) = _NUMBER.unpack(value)
    return int(number)


def as_ipv4(value: bytes | None) -> str | None:
    """An IPv4 address in words; None stays None."""
    return None if value is None else socket.inet_ntoa(value)


def as_text(value: bytes) -> str:
    """A name; the kernel takes any bytes for one, and gets them back."""
    return value.rstrip(b"\0").decode(errors="surrogateescape")


def link_header(index: int = 0, up: bool = False) -> bytes:
    """The fixed part of a request about a device; with 0 it is the one that IFLA_IFNAME names."""
    return _LINK.pack(0, 0, index, int(up), int(up))


def batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield items in portions that fit one write."""
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


# The socket ---------------------------------------------------------------------------------------


class Netlink:
    """A socket in a namespace, open while the `with` lasts."""

    def __init__(self, namespace: str, wire: socket.socket) -> None:
        self.namespace = namespace
        self._wire = wire
        self._numbers: dict[str, int] = {}

    def links(self) -> dict[str, Row]:
        """The devices of the namespace by name."""
        rows: dict[str, Row] = {}
        body = link_header() + number(IFLA_EXT_MASK, SKIP_STATISTICS)
        for header, attributes in self.dump(GET_LINK, body, _LINK.size):
            _, _, index, flags, _ = _LINK.unpack(header)
            name = as_text(attributes[IFLA_IFNAME])
            rows[name] = Row(index, flags, attributes)
            self._numbers[name] = index
        return rows

    def link(self, device: str) -> Row | None:
        """A device, if it is there. It is asked for by name: a host may have a thousand others."""
        body = link_header() + text(IFLA_IFNAME, device)
        try:
            ((header, attributes),) = self._list(GET_LINK, _ACKNOWLEDGE, body, _LINK.size)
        except OSError as error:
            if error.errno in GONE:
                return None
            raise
        _, _, index, flags, _ = _LINK.unpack(header)
        self._numbers[device] = index
        return Row(index, flags, attributes)

    def name(self, index: int) -> str:
        """The name of the device with a number."""
        ((_, attributes),) = self._list(GET_LINK, _ACKNOWLEDGE, link_header(index), _LINK.size)
        return as_text(attributes[IFLA_IFNAME])

    def index(self, device: str) -> int:
        """The number of a device; raise HostError if the namespace has no such device."""
        if device not in self._numbers and not self.link(device):
            raise HostError(
                f"the device {device} is not in {self.namespace or 'the host'}; "
                f"something else moved or removed it"
            )
        return self._numbers[device]

    def get(self, type: int, body: bytes, size: int) -> list[Answer]:
        """Return what answers a question for one object; OSError if there is no answer."""
        return self._list(type, _ACKNOWLEDGE, body, size)

    def dump(self, type: int, body: bytes, size: int) -> list[Answer]:
        """Return all objects of a type; their fixed headers are `size` bytes long."""
        return self._list(type, _DUMP, body, size)

    def _list(self, type: int, how: int, body: bytes, size: int) -> list[Answer]:
        """Return what answers a question, up to the message that says that this was all."""
        while True:
            self._wire.send(_message(type, how, 0, body))
            answers: list[Answer] = []
            whole, done = True, False
            while not done:
                for kind, flags, _, data in _messages(self._wire.recv(_BUFFER)):
                    whole = whole and not flags & _INTERRUPTED
                    if kind in (_DONE, _ERROR):
                        done = True
                        (code,) = _ANSWER.unpack_from(data)
                        if code:
                            raise OSError(-code, os.strerror(-code))
                    else:
                        answers.append(Answer(data[:size], attributes_of(data[size:])))
            if whole:
                return answers
            # Something was added or removed meanwhile: what was seen may be no state that ever was.

    def heed_filters(self) -> None:
        """Have the kernel list only what fits the attributes of a question; old ones list all."""
        with suppress(OSError):
            self._wire.setsockopt(_SOL_NETLINK, _GET_STRICT_CHECK, 1)

    def ask(self, requests: Iterable[Request], expected: Sequence[int] = ()) -> None:
        """Have requests done, in their order. Raise HostError with the kernel's refusal, but let
        those pass that are `expected`: they mean that it is so already.
        """
        for batch in batches(list(requests)):
            self._wire.send(
                b"".join(
                    _message(each.type, each.flags | _ACKNOWLEDGE, place, each.body)
                    for place, each in enumerate(batch)
                )
            )
            codes = dict(self._answers(len(batch)))
            for place, each in enumerate(batch):
                if codes[place] and codes[place] not in expected:
                    raise refusal(each.resource, OSError(codes[place], os.strerror(codes[place])))

    def _answers(self, count: int) -> Iterator[tuple[int, int]]:
        """Yield the place of each request in its batch, and 0 or the error number."""
        while count:
            for kind, _, place, data in _messages(self._wire.recv(_BUFFER)):
                if kind == _ERROR:
                    (code,) = _ANSWER.unpack_from(data)
                    yield place, -code
                    count -= 1


@contextmanager
def netlink(namespace: str, family: int = socket.NETLINK_ROUTE) -> Iterator[Netlink]:
    """Open a namespace's netlink. The calling thread is inside the namespace meanwhile."""
    kind = (socket.AF_NETLINK, socket.SOCK_RAW, family)
    with inside(namespace), socket.socket(*kind) as wire:
        yield Netlink(namespace, wire)


def _message(type: int, flags: int, place: int, body: bytes) -> bytes:
    size = _HEADER.size + len(body)
    return _HEADER.pack(size, type, flags | _REQUEST, place, 0) + body + bytes(-size % 4)


def _messages(data: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield type, flags, place and content of each message that was received."""
    place = 0
    while place < len(data):
        size, type, flags, number, _ = _HEADER.unpack_from(data, place)
        yield type, flags, number, data[place + _HEADER.size : place + size]
        place += size + 3 & ~3
