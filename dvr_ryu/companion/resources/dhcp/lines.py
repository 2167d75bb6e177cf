"""Lines of the files that a network's DHCP server reads. Pure.

The server reads these files again at a signal. What is in its command line needs a new server.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from attrs import frozen

from dvr_ryu.companion.resources.dhcp.files import DHCP_DIRECTORY
from dvr_ryu.companion.resources.resource import Resource


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


Line = TypeVar("Line", DhcpHost, DhcpOption)


SUFFIXES: Mapping[type[Resource], str] = {DhcpHost: "hosts", DhcpOption: "options"}
"""Kind → what the name of the file of its lines ends with, after the namespace."""


def lines_file(kind: type[Resource], namespace: str) -> str:
    """The file that has the lines of one kind for the server of a namespace."""
    return f"{DHCP_DIRECTORY}/{namespace}.{SUFFIXES[kind]}"
