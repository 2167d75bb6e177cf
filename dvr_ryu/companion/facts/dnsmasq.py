"""What a network's DHCP server is told: facts as lines of its files, and where the files are. Pure.

The server reads these files again when it is told to; what is in its command line needs a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from attrs import frozen

from dvr_ryu.companion.facts.kinds import RUN_DIRECTORY, Fact

DHCP_DIRECTORY = f"{RUN_DIRECTORY}/dhcp"


@frozen
class DhcpHost(Fact):
    """What a network's DHCP server gives to one MAC.

    Without a tag: dnsmasq 2.90 dies when it reads a file with tags again.
    """

    kind = "dhcp-host"
    identity = ("namespace", "mac")
    namespace: str
    mac: str
    ip: str
    name: str

    @property
    def start(self) -> str:
        """How its line begins: its identity in the file."""
        return self.mac

    @property
    def line(self) -> str:
        """The line of the hosts file."""
        return f"{self.mac},{self.ip},{self.name}"

    @classmethod
    def of_line(cls, namespace: str, line: str) -> DhcpHost:
        """The fact that a line of the hosts file is."""
        return cls(namespace, *line.split(","))


@frozen
class DhcpOption(Fact):
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
        """The fact that a line of the options file is."""
        tag, option, *value = line.split(",", 2)
        return cls(namespace, tag.removeprefix("tag:"), option, "".join(value))


Told = TypeVar("Told", DhcpHost, DhcpOption)
SUFFIXES: Mapping[type[Fact], str] = {DhcpHost: "hosts", DhcpOption: "options"}
"""Kind → what the name of the file of its lines ends with, after the namespace."""


def told_file(kind: type[Fact], namespace: str) -> str:
    """The file that has the lines of one kind for the server of a namespace."""
    return f"{DHCP_DIRECTORY}/{namespace}.{SUFFIXES[kind]}"


def leases_file(namespace: str) -> str:
    """The file in which a network's DHCP server keeps its leases."""
    return f"{DHCP_DIRECTORY}/{namespace}.leases"


def dhcp_server(namespace: str) -> str:
    """The name of the process that serves DHCP in a namespace."""
    return f"dnsmasq-{namespace}"
