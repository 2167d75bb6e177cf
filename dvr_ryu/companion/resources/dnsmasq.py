"""What a network's DHCP server is told: resources as lines of its files, and where the files are.
Pure.

The server reads these files again when it is told to; what is in its command line needs a new one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import IPv4Address
from itertools import chain
from typing import TypeVar

from attrs import field, frozen

from dvr_ryu.companion.resources.kinds import RUN_DIRECTORY, InNamespace, Key, Process, Resource

DHCP_DIRECTORY = f"{RUN_DIRECTORY}/dhcp"


@frozen
class DhcpHost(Resource):
    """What a network's DHCP server gives to one MAC; without a name, to nobody.

    Without a tag: dnsmasq 2.90 dies when it reads a file with tags again.
    """

    kind = "dhcp-host"
    identity = ("namespace", "mac")
    namespace: str
    mac: str
    ip: str
    name: str = ""

    @property
    def start(self) -> str:
        """How its line begins: its identity in the file."""
        return self.mac

    @property
    def line(self) -> str:
        """The line of the hosts file."""
        return ",".join(filter(None, (self.mac, self.ip, self.name)))

    @classmethod
    def of_line(cls, namespace: str, line: str) -> DhcpHost:
        """The resource that a line of the hosts file is."""
        return cls(namespace, *line.split(","))


@frozen
class DhcpOption(Resource):
    """What a network's DHCP server tells those who have a tag: an option and its value, if any."""

    kind = "dhcp-option"
    identity = ("namespace", "tag", "option")
    namespace: str
    tag: str
    option: str
    value: str

    @property
    def start(self) -> str:
        """How its line begins: its identity in the file."""
        return f"tag:{self.tag},{self.option}"

    @property
    def line(self) -> str:
        """The line of the options file."""
        return ",".join(filter(None, (self.start, self.value)))

    @classmethod
    def of_line(cls, namespace: str, line: str) -> DhcpOption:
        """The resource that a line of the options file is."""
        tag, option, *value = line.split(",", 2)
        return cls(namespace, tag.removeprefix("tag:"), option, "".join(value))


@frozen
class Renewal(InNamespace):
    """An instance's client has asked again since its server says something else to it, or since
    something of what it had set was lost.

    Of itself it would ask when half of its lease is over. Without a client it will ask anyway.
    """

    kind = "dhcp-renewal"
    identity = ("namespace", "client")
    outlives_container = True
    namespace: str
    client: str
    """The name of its process."""
    told: str
    """A digest of what the server says."""
    server: str
    """The server's host."""
    after: tuple[Key, ...] = field(eq=False, repr=False)
    """The client itself, and the resources by which the server says it, if it is on this host."""


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


ALL = "*"
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


Told = TypeVar("Told", DhcpHost, DhcpOption)
SUFFIXES: Mapping[type[Resource], str] = {DhcpHost: "hosts", DhcpOption: "options"}
"""Kind → what the name of the file of its lines ends with, after the namespace."""


def told_file(kind: type[Resource], namespace: str) -> str:
    """The file that has the lines of one kind for the server of a namespace."""
    return f"{DHCP_DIRECTORY}/{namespace}.{SUFFIXES[kind]}"


def leases_file(namespace: str) -> str:
    """The file in which a network's DHCP server keeps its leases."""
    return f"{DHCP_DIRECTORY}/{namespace}.leases"


def book_file(namespace: str) -> str:
    """The note beside the leases."""
    return f"{DHCP_DIRECTORY}/{namespace}.book"


def dhcp_server(namespace: str) -> str:
    """The name of the process that serves DHCP in a namespace."""
    return f"dnsmasq-{namespace}"
