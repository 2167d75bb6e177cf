"""Lines of the files that a network's DHCP server reads. Pure.

The server reads these files again at a signal. A change of its command line needs a new server.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar, TypeVar

from attrs import frozen

from dvr_ryu.companion.resources.dhcp.files import DHCP_DIRECTORY, dhcp_server
from dvr_ryu.companion.resources.namespace import by_namespace
from dvr_ryu.companion.resources.process import pid_file
from dvr_ryu.companion.resources.resource import Key, Resource

if TYPE_CHECKING:
    from typing_extensions import Self

READ = ".told"
"""The suffix of a file's copy, made after the signal to the server to read the file. Lines in both
are in effect, even if the companion was killed between the two writes."""


class DnsmasqLine(Resource):
    """A line of a file for the server of a namespace."""

    notes = (DHCP_DIRECTORY,)
    suffix: ClassVar[str]
    """The suffix of the file's name, after the namespace."""
    namespace: str

    @property
    def start(self) -> str:
        """The start of its line: its identity in the file."""
        raise NotImplementedError(self.kind)

    @property
    def line(self) -> str:
        """Its line."""
        raise NotImplementedError(self.kind)

    @classmethod
    def of_line(cls, namespace: str, line: str) -> Self:
        """The resource of a line; ValueError or TypeError if the line is none."""
        raise NotImplementedError(cls.kind)

    @classmethod
    def file(cls, namespace: str) -> str:
        """The file that has the lines of this kind."""
        return f"{DHCP_DIRECTORY}/{namespace}.{cls.suffix}"

    def describe(self) -> str:
        """Write the line."""
        return f"printf '%s\\n' {shlex.quote(self.line)} >> {self.file(self.namespace)}"

    @classmethod
    def make_all_lines(
        cls, resources: Sequence[Self], present: Mapping[Key, Self], host: str
    ) -> Iterator[str]:
        """Write a line for each, instead of the one that may be there."""
        for namespace, group in by_namespace(resources):
            for each in group:
                if each.key in present:
                    yield each._removal()
                yield each.describe()
            yield from cls._reading(namespace)

    @classmethod
    def remove_all_lines(cls, resources: Sequence[Self], host: str) -> Iterator[str]:
        """Remove the lines."""
        for namespace, group in by_namespace(resources):
            for each in group:
                yield each._removal()
            yield from cls._reading(namespace)

    def _removal(self) -> str:
        start = self.start.replace(".", "\\.")
        return f"sed -i '/^{start}\\(,\\|$\\)/d' {self.file(self.namespace)}"

    @classmethod
    def _reading(cls, namespace: str) -> Iterator[str]:
        """Signal the server to read the file, if it runs, and note that."""
        pid = pid_file(dhcp_server(namespace))
        yield f'[ ! -s {pid} ] || kill -HUP "$(cat {pid})"'
        yield f"cp {cls.file(namespace)} {cls.file(namespace)}{READ}"


@frozen
class DhcpHost(DnsmasqLine):
    """The address and the name that a network's DHCP server leases to one MAC; without a name, to
    no client.

    Without a tag: dnsmasq 2.90 dies when it reads a file with tags again.
    """

    kind = "dhcp-host"
    identity = ("namespace", "mac")
    suffix = "hosts"
    namespace: str
    mac: str
    ip: str
    name: str = ""

    @property
    def start(self) -> str:
        """The MAC."""
        return self.mac

    @property
    def line(self) -> str:
        """The line of the hosts file."""
        return ",".join(filter(None, (self.mac, self.ip, self.name)))

    @classmethod
    def of_line(cls, namespace: str, line: str) -> DhcpHost:
        """The resource of a line of the hosts file."""
        return cls(namespace, *line.split(","))


@frozen
class DhcpOption(DnsmasqLine):
    """An option, and its value if any, that a network's DHCP server sends to clients with a tag."""

    kind = "dhcp-option"
    identity = ("namespace", "tag", "option")
    suffix = "options"
    namespace: str
    tag: str
    option: str
    value: str

    @property
    def start(self) -> str:
        """Tag and option."""
        return f"tag:{self.tag},{self.option}"

    @property
    def line(self) -> str:
        """The line of the options file."""
        return ",".join(filter(None, (self.start, self.value)))

    @classmethod
    def of_line(cls, namespace: str, line: str) -> DhcpOption:
        """The resource of a line of the options file."""
        tag, option, *value = line.split(",", 2)
        return cls(namespace, tag.removeprefix("tag:"), option, "".join(value))


LINES = (DhcpHost, DhcpOption)
Line = TypeVar("Line", DhcpHost, DhcpOption)
