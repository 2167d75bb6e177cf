"""Build and read messages of netlink, which pyroute2 encodes and decodes.

It has no socket; only `client` sends and receives. Decoded messages are shared: do not change
them.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from struct import unpack_from
from typing import Any, TypeAlias

from pyroute2.netlink import NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR, nlmsg, nlmsgerr
from pyroute2.netlink.marshal import Marshal
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg

Message: TypeAlias = Any
"""A message of pyroute2: a mapping of its fixed fields, with its attributes beside them."""
Attribute: TypeAlias = "tuple[str, Any]"
"""An attribute's name and value, as pyroute2 takes them."""

_ATTRIBUTE_HEADER = 4
_READ_OF_LINKS = {
    *("IFLA_ADDRESS", "IFLA_GROUP", "IFLA_IFNAME", "IFLA_LINK", "IFLA_LINKINFO", "IFLA_MTU"),
}


def message(kind: type, attributes: Iterable[Attribute] = (), /, **fields: int) -> Message:
    """A message of a class of pyroute2, with its fixed fields and its attributes."""
    made: Message = kind()
    made.update(fields, attrs=list(attributes))
    return made


def nest(*attributes: Attribute) -> dict[str, Any]:
    """The value of an attribute that holds attributes."""
    return {"attrs": list(attributes)}


def values(message: Message, *names: str) -> list[Any]:
    """The values of attributes, by their names; None for each that the message lacks."""
    found = {slot.name: slot for slot in message["attrs"]}
    return [found[name].value if name in found else None for name in names]


def as_bytes(name: str) -> bytes:
    """A name as the kernel takes it, which need not be UTF-8."""
    return name.encode(errors="surrogateescape")


def as_text(name: str | bytes) -> str:
    """A name as the kernel gave it: pyroute2 returns bytes if it is not UTF-8."""
    return name.decode(errors="surrogateescape") if isinstance(name, bytes) else name


@lru_cache(maxsize=64)
def question(
    kind: type, type: int, flags: int, attributes: tuple[Attribute, ...] = (), /, **fields: int
) -> bytes:
    """A question's bytes: each namespace gets the same few questions."""
    return encoded(message(kind, attributes, **fields), type, flags)


def encoded(message: Message, type: int, flags: int, number: int = 0) -> bytes:
    """A request's bytes; the reply to it carries the same number."""
    message["header"].update(type=type, flags=flags | NLM_F_REQUEST, sequence_number=number)
    message.encode()
    return bytes(message.data)


def decoded(
    data: bytes, kind: type = nlmsg, mentioned: Collection[bytes] = ()
) -> Iterator[Message]:
    """Yield the messages that a socket received: objects of one class, and verdicts (nlmsgerr).

    If `mentioned` has bytes, it skips objects without any of them, undecoded.
    """
    yield from _Marshal(kind, mentioned).parse(data)


def is_verdict(message: Message) -> bool:
    """Whether a message ends the replies to a question, or reports a request's result."""
    return isinstance(message, nlmsgerr)


def error_of(verdict: Message) -> OSError | None:
    """The error of a verdict, with the kernel's own message if it has one; None for success."""
    code = -verdict["error"]
    if not code:
        return None
    (reason,) = values(verdict, "NLMSGERR_ATTR_MSG")
    return OSError(code, os.strerror(code) + (f" ({as_text(reason)})" if reason else ""))


class _Marshal(Marshal):  # type: ignore[misc]
    """Divides received bytes into messages."""

    def __init__(self, kind: type, mentioned: Collection[bytes]) -> None:
        super().__init__()
        self._kind = kind
        self._mentioned = mentioned

    def parse_one_message(
        self, key: int, flags: int, sequence_number: int, data: bytes, offset: int, length: int
    ) -> Message | None:
        """Decode one message, unless it is to be skipped; the end of a dump has an error number,
        too."""
        message = data[offset : offset + length]
        if key in (NLMSG_ERROR, NLMSG_DONE):
            return _decoded(nlmsgerr, message)
        if self._mentioned and not any(each in message for each in self._mentioned):
            return None
        return _decoded(self._kind, message)


@lru_cache(maxsize=256)
def _decoded(kind: type, data: bytes) -> Message:
    """Decode a message. Hundreds of namespaces have the same rules, and the same routes of lo."""
    message: Message = kind(data)
    message.decode()
    return message


class LinkMessage(ifinfmsg):  # type: ignore[misc]
    """A device. It has sixty attributes, and pyroute2 would make an object of each."""

    data: bytes
    offset: int
    length: int

    def decode_nlas(self, offset: int) -> None:
        """Let pyroute2 decode the attributes that are read here, one at a time."""
        length, end = self.length, self.offset + self.length
        while offset + _ATTRIBUTE_HEADER <= end:
            size, number = unpack_from("=HH", self.data, offset)
            if number in _NUMBERS_OF_LINKS:
                self.length = offset + size - self.offset
                super().decode_nlas(offset)
            offset += max(size, _ATTRIBUTE_HEADER) + 3 & ~3
        self.length = length


_NUMBERS_OF_LINKS = {
    number for number, (name, *_) in enumerate(ifinfmsg.nla_map) if name in _READ_OF_LINKS
}
