"""The leases of a network's DHCP server. Pure."""

from __future__ import annotations

import json
from ipaddress import IPv4Address
from itertools import chain

from attrs import field, frozen

from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Key, Resource


@frozen
class LeaseBook(Resource):
    """Whose leases a DHCP server's file has: noted beside it, for whoever reads them.

    `ranges` are the ends of what it may lease to machines that nobody declared.
    """

    kind = "lease-book"
    identity = ("namespace",)
    unmade_last = True
    """A server that still runs would go on in a file that has no name any more."""
    namespace: str
    host: str
    network: str
    ranges: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """What the note says."""
        words = {"host": self.host, "network": self.network, "ranges": self.ranges}
        return json.dumps(words)

    @classmethod
    def of_text(cls, namespace: str, text: str) -> LeaseBook:
        """The resource that a note is; ValueError, TypeError or LookupError if none is."""
        words = json.loads(text)
        ranges = tuple((first, last) for first, last in words["ranges"])
        for each in chain.from_iterable(ranges):
            IPv4Address(each)
        return cls(namespace, f"{words['host']}", f"{words['network']}", ranges)


ALL_LEASES = "*"
"""The MAC and address that stand for all leases of a server."""


@frozen
class StaleLease(Resource):
    """A lease of what is another's now, or nobody's: it never should be. The server would keep the
    address from its new owner until it expires, a day long. Or all of a file that nobody can read.
    """

    kind = "stale-lease"
    identity = ("namespace", "mac", "ip")
    namespace: str
    mac: str
    ip: str
    server: Process | None = field(eq=False, repr=False)
    """The server, if it runs: it keeps the book in its head, too, so that it must start anew."""

    @property
    def container(self) -> Key | None:
        """The book, with which all leases end."""
        return ("lease-book", self.namespace)
