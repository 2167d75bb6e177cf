"""Netlink inside a namespace: one socket, and the devices that it sees by name and by number."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from dvr_ryu.companion.edges.namespaces import inside
from dvr_ryu.companion.facts.kinds import Fact
from dvr_ryu.companion.facts.words import describe
from dvr_ryu.errors import HostError

GONE = (errno.ENODEV, errno.ENOENT, errno.ESRCH, errno.EADDRNOTAVAIL)
"""What the kernel answers when asked to remove what is not there."""


class Netlink:
    """A socket in a namespace. `request` is pyroute2's IPRoute, open while the `with` lasts."""

    def __init__(self, namespace: str, request: Any) -> None:
        self.namespace = namespace
        self.request = request
        self.links = {link.get("ifname"): link for link in request.get_links()}

    def index(self, device: str) -> int:
        """The number of a device; raise HostError if the namespace has no such device."""
        link = self.links.get(device)
        if link is None:
            raise HostError(
                f"the device {device} is not in {self.namespace or 'the host'}; "
                f"something else moved or removed it"
            )
        return int(link["index"])


@contextmanager
def netlink(namespace: str) -> Iterator[Netlink]:
    """Open a namespace's netlink. The calling thread is inside the namespace meanwhile."""
    with inside(namespace), IPRoute() as request:
        yield Netlink(namespace, request)


@contextmanager
def refusals(fact: Fact, expected: Iterable[int] = ()) -> Iterator[None]:
    """Make of the kernel's refusal a HostError that says what was asked. Those `expected`, which
    mean that it is so already, pass."""
    try:
        yield
    except NetlinkError as error:
        if error.code not in expected:
            raise HostError(f"the kernel refuses: {describe(fact)}: {error}") from error
