"""A netlink socket inside a namespace: many requests leave it before their replies are read.

A host has thousands of addresses, routes and devices: a wait for each reply would take longer than
the kernel does. pyroute2's own sockets wait, and run an event loop for it; so this module uses only
pyroute2's messages (`messages`). The caller fills them.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import NamedTuple, TypeVar

from pyroute2.netlink import (
    NETLINK_EXT_ACK,
    NETLINK_GET_STRICT_CHK,
    NETLINK_NETFILTER,
    NETLINK_ROUTE,
    NLM_F_ACK,
    NLM_F_DUMP,
    NLM_F_DUMP_INTR,
    SOL_NETLINK,
)
from pyroute2.netlink.rtnl import RTM_GETLINK

from dvr_ryu.companion.providers.kernel.refusal import refusal
from dvr_ryu.companion.providers.netlink.messages import (
    Attribute,
    LinkMessage,
    Message,
    as_bytes,
    as_text,
    decoded,
    encoded,
    error_of,
    is_verdict,
    question,
    values,
)
from dvr_ryu.companion.providers.netlink.namespaces import inside
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.errors import HostError

Item = TypeVar("Item")

GONE = (errno.ENODEV, errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL)
"""The kernel's errors for a request to remove a missing object."""
AT_ONCE = 64
"""Requests in one write: the socket's buffer must have room for the replies."""

_BUFFER = 65536
_SKIP_STATISTICS = 1 << 3


class Request(NamedTuple):
    """A request to make or remove something, and the resource that this is about."""

    resource: Resource
    type: int
    flags: int
    message: Message


def batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    """Yield items in portions that fit one write."""
    for start in range(0, len(items), AT_ONCE):
        yield items[start : start + AT_ONCE]


class Netlink:
    """A socket in a namespace, open while the `with` lasts."""

    def __init__(self, namespace: str, sock: socket.socket) -> None:
        self.namespace = namespace
        self._sock = sock
        self._set_option(NETLINK_EXT_ACK)

    def _set_option(self, option: int) -> None:
        with suppress(OSError):  # old kernels have fewer
            self._sock.setsockopt(SOL_NETLINK, option, 1)

    def links(self) -> dict[str, Message]:
        """The devices of the namespace by name."""
        found = self.dump(RTM_GETLINK, LinkMessage, ("IFLA_EXT_MASK", _SKIP_STATISTICS))
        return {as_text(*values(link, "IFLA_IFNAME")): link for link in found}

    def link(self, device: str) -> Message | None:
        """A device, if it is there. The request names the device: a host may have a thousand
        more."""
        try:
            (link,) = self.get(RTM_GETLINK, LinkMessage, ("IFLA_IFNAME", as_bytes(device)))
        except OSError as error:
            if error.errno in GONE:
                return None
            raise
        return link

    def has(self, device: str) -> bool:
        """Whether the namespace has a device."""
        try:
            return bool(socket.if_nametoindex(device))
        except OSError:
            return False

    def index(self, device: str) -> int:
        """The number of a device; raise HostError if the namespace has no such device."""
        try:
            return socket.if_nametoindex(device)
        except OSError:
            raise HostError(
                f"the device {device} is not in {self.namespace or 'the host'}; "
                f"something else moved or removed it"
            ) from None

    def get(self, type: int, kind: type, /, *attributes: Attribute, **fields: int) -> list[Message]:
        """Ask for one object; return the replies, or raise OSError if there is none."""
        return self._list(kind, question(kind, type, NLM_F_ACK, attributes, **fields))

    def dump(
        self, type: int, kind: type, /, *attributes: Attribute, **fields: int
    ) -> list[Message]:
        """Return all objects of a type, as messages of a class of pyroute2.

        The kernel heeds attributes and fields as it likes: see `heed_filters`.
        """
        return self._list(kind, question(kind, type, NLM_F_DUMP, attributes, **fields))

    def dump_mentioning(
        self, mentioned: Collection[bytes], type: int, kind: type, /, **fields: int
    ) -> list[Message]:
        """Return the objects of a type that contain some of these bytes; without any bytes, all.

        Other objects cost almost nothing: a gateway may have 100 000 connections.
        """
        return self._list(kind, question(kind, type, NLM_F_DUMP, **fields), mentioned)

    def _list(self, kind: type, request: bytes, mentioned: Collection[bytes] = ()) -> list[Message]:
        while True:
            self._sock.send(request)
            *found, verdict = self._replies(kind, mentioned)
            if error := error_of(verdict):
                raise error
            if not any(each["header"]["flags"] & NLM_F_DUMP_INTR for each in (*found, verdict)):
                return found
            # An object was added or removed meanwhile: the dump may be inconsistent.

    def _replies(self, kind: type, mentioned: Collection[bytes]) -> Iterator[Message]:
        """Yield the replies to a question, the verdict last."""
        while True:
            for reply in decoded(self._sock.recv(_BUFFER), kind, mentioned):
                yield reply
                if is_verdict(reply):
                    return

    def heed_filters(self) -> None:
        """Make the kernel list only objects that fit a question's attributes; old kernels list
        all."""
        self._set_option(NETLINK_GET_STRICT_CHK)

    def ask(self, requests: Iterable[Request], expected: Sequence[int] = ()) -> None:
        """Send requests, which the kernel executes in order. Raise HostError with its refusal,
        unless it is one of the `expected` error numbers: those mean that the state holds
        already.
        """
        for batch in batches(list(requests)):
            self._sock.send(
                b"".join(
                    encoded(each.message, each.type, each.flags | NLM_F_ACK, number)
                    for number, each in enumerate(batch)
                )
            )
            errors = dict(self._verdicts(len(batch)))
            for number, each in enumerate(batch):
                error = errors[number]
                if error and error.errno not in expected:
                    raise refusal(each.resource, error)

    def _verdicts(self, count: int) -> Iterator[tuple[int, OSError | None]]:
        """Yield each request's number in its batch, and its error, if it failed."""
        while count:
            for reply in decoded(self._sock.recv(_BUFFER)):
                if is_verdict(reply):
                    yield reply["header"]["sequence_number"], error_of(reply)
                    count -= 1


@contextmanager
def netlink(namespace: str, family: int = NETLINK_ROUTE) -> Iterator[Netlink]:
    """Open a namespace's netlink. The calling thread is inside the namespace meanwhile."""
    kind = (socket.AF_NETLINK, socket.SOCK_RAW, family)
    with inside(namespace), socket.socket(*kind) as sock:
        yield Netlink(namespace, sock)


def nfnetlink(namespace: str) -> AbstractContextManager[Netlink]:
    """Open a namespace's netlink for netfilter: conntrack, nftables."""
    return netlink(namespace, NETLINK_NETFILTER)
