"""The leases of a network's DHCP server. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import chain

from attrs import field, frozen

from dvr_ryu.companion.resources.dhcp.files import DHCP_DIRECTORY, book_file, leases_file
from dvr_ryu.companion.resources.process import Process
from dvr_ryu.companion.resources.resource import Key, Resource


@frozen
class LeaseBook(Resource):
    """A note beside a DHCP server's leases, for their readers: the leases' host and network.

    `ranges` are the first and last addresses that it may lease to undeclared machines.
    """

    kind = "lease-book"
    identity = ("namespace",)
    notes = (DHCP_DIRECTORY,)
    removed_last = True
    """A server that still runs would continue to write to a deleted file."""
    namespace: str
    host: str
    network: str
    ranges: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """The text of the note."""
        return json.dumps({"host": self.host, "network": self.network, "ranges": self.ranges})

    @classmethod
    def of_text(cls, namespace: str, text: str) -> LeaseBook:
        """The resource that a note is; ValueError, TypeError or LookupError if none is."""
        found = json.loads(text)
        ranges = tuple((first, last) for first, last in found["ranges"])
        for each in chain.from_iterable(ranges):
            IPv4Address(each)
        return cls(namespace, f"{found['host']}", f"{found['network']}", ranges)

    def describe(self) -> str:
        """Write the note."""
        return f"echo {shlex.quote(self.text)} > {book_file(self.namespace)}"

    def remove_lines(self, host: str) -> Iterator[str]:
        """Remove the leases, and the note."""
        yield f"rm -f {leases_file(self.namespace)} {book_file(self.namespace)}"


ALL_LEASES = "*"
"""The MAC and address that stand for all leases of a server."""


@frozen
class StaleLease(Resource):
    """A lease of an address that has another owner now, or none: it is never desired. The server
    would withhold the address from its new owner until the lease expires, up to a day. With
    ALL_LEASES, a whole unreadable file.
    """

    kind = "stale-lease"
    identity = ("namespace", "mac", "ip")
    namespace: str
    mac: str
    ip: str
    server: Process | None = field(eq=False, repr=False)
    """The server, if it runs: it has its leases in memory, too, so it must be restarted."""

    @property
    def container(self) -> Key | None:
        """The book, with which all leases end."""
        return ("lease-book", self.namespace)

    def describe(self) -> str:
        """Remove it from the file."""
        file = leases_file(self.namespace)
        if self.mac == ALL_LEASES:
            return f"rm -rf {file}"
        return f"sed -i '/ {self.mac} {self.ip} /d' {file}"

    def make_lines(self, old: StaleLease | None, host: str) -> Iterator[str]:
        """Nothing: no host should have one."""
        yield from ()

    def remove_lines(self, host: str) -> Iterator[str]:
        """Remove it from the file while the server does not run."""
        if self.server:
            yield from self.server.remove_lines(host)
        yield self.describe()
        if self.server:
            yield self.server.start_line()
