"""Read the leases of DHCP servers from their files, and remove those that are another's now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import NamedTuple

from dvr_ryu.companion.desired.common import as_integer
from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.dnsmasq import servers
from dvr_ryu.companion.providers.notes import below
from dvr_ryu.companion.providers.processes import processes
from dvr_ryu.companion.providers.processes.processes import Processes
from dvr_ryu.companion.providers.provider import Look, Provider
from dvr_ryu.companion.resources.dhcp.files import (
    DHCP_DIRECTORY,
    book_file,
    dhcp_server,
    leases_file,
)
from dvr_ryu.companion.resources.dhcp.leases import ALL_LEASES, LeaseBook, StaleLease
from dvr_ryu.companion.resources.dhcp.lines import DhcpHost
from dvr_ryu.companion.resources.namespace import by_namespace
from dvr_ryu.companion.resources.process import Process

END_OF_TIME = 1 << 32
"""No lease lasts so long: seconds since 1970."""


class Lease(NamedTuple):
    """A machine's lease of an address, with its end in seconds since 1970."""

    host: str
    network: str
    mac: str
    ip: str
    instance: str
    """Its host name if it is declared, else nothing."""
    expires: int


def listed(root: Path = Path("/")) -> Iterator[Lease]:
    """Yield the leases of every DHCP server of a host, whose files are below `root`."""
    for book in _books(root):
        names = {host.mac: host.name for host in servers.read_kind(DhcpHost, book.namespace, root)}
        for expires, mac, ip in _leases(book.namespace, root):
            yield Lease(book.host, book.network, mac, ip, names.get(mac, ""), expires)


def _books(root: Path = Path("/")) -> Iterator[LeaseBook]:
    """Yield the notes beside leases; an empty one if a killed companion wrote none."""
    found = map(Path, notes.names(below(root, DHCP_DIRECTORY)))
    for namespace in sorted({each.stem for each in found if each.suffix in (".book", ".leases")}):
        read = partial(LeaseBook.of_text, namespace)
        book = notes.meaning(below(root, book_file(namespace)), read)
        yield book or LeaseBook(namespace, "", "", ())


def _leases(namespace: str, root: Path = Path("/")) -> Iterator[tuple[int, str, str]]:
    """Yield the lines of dnsmasq's file: end of lease, MAC and address; the client's name and id
    follow, unless dnsmasq is still writing the line.
    """
    for line in (notes.text(below(root, leases_file(namespace))) or "").splitlines():
        with suppress(ValueError):  # not a line of dnsmasq's
            expires, mac, ip, *its_own = [*line.split(), "", ""]
            if len(its_own) == 4 and 0 <= int(expires) < END_OF_TIME:
                yield int(expires), mac, str(IPv4Address(ip))


# Resources
# --------------------------------------------------------------------------------------------


class LeaseBooks(Provider):
    """The provider of the notes beside leases."""

    kinds = (LeaseBook,)

    def read(self, look: Look) -> Sequence[LeaseBook]:
        """Return the books that there are."""
        return list(_books())

    def make(self, resources: Sequence[LeaseBook]) -> None:
        """Write notes."""
        notes.folder(Path(DHCP_DIRECTORY))
        for resource in resources:
            notes.replace(Path(book_file(resource.namespace)), f"{resource.text}\n")

    def remove(self, resources: Sequence[LeaseBook]) -> None:
        """Remove leases, and the notes beside them."""
        for resource in resources:
            notes.remove(Path(leases_file(resource.namespace)))
            notes.remove(Path(book_file(resource.namespace)))


class StaleLeases(Provider):
    """The provider of stale leases."""

    kinds = (StaleLease,)

    def read(self, look: Look) -> Sequence[StaleLease]:
        """Return the stale leases in the books."""
        running = {each.name: each for each in look.found(Process) if each.argv}
        return list(stale(look.found(LeaseBook), running))

    def make(self, resources: Sequence[StaleLease]) -> None:
        """Raise: no host should have one."""
        raise AssertionError(resources)

    def remove(self, resources: Sequence[StaleLease]) -> None:
        """Remove leases from their files while the servers do not run."""
        for namespace, group in by_namespace(resources):
            running = [group[0].server] if group[0].server else []
            Processes().remove(running)
            # The server of a removed namespace is made anew, as a resource of its own.
            running = [server for server in running if server.namespace == namespace]
            path = Path(leases_file(namespace))
            wrong = {(resource.mac, resource.ip) for resource in group}
            lines = (notes.text(path) or "").splitlines(keepends=True)
            notes.replace(
                path, "".join(line for line in lines if tuple(line.split()[1:3]) not in wrong)
            )
            Processes().make(running)


def stale(books: Iterable[LeaseBook], running: Mapping[str, Process]) -> Iterator[StaleLease]:
    """Yield the stale leases in books; `running` are the servers by name."""
    for book in books:
        hosts = servers.read_kind(DhcpHost, book.namespace)
        by_mac = {host.mac: host.ip for host in hosts}
        declared = {host.ip for host in hosts}
        server = running.get(dhcp_server(book.namespace))
        for _, mac, ip in _leases(book.namespace):
            if by_mac.get(mac) == ip:
                continue
            if mac in by_mac or ip in declared or not _is_within(ip, book.ranges):
                yield StaleLease(book.namespace, mac, ip, server)
        if notes.is_spoiled(Path(leases_file(book.namespace))):
            yield StaleLease(book.namespace, ALL_LEASES, ALL_LEASES, server)


def _is_within(ip: str, ranges: Iterable[tuple[str, str]]) -> bool:
    number = as_integer(ip)
    return any(as_integer(first) <= number <= as_integer(last) for first, last in ranges)


def forgive_declines() -> None:
    """Let each server that has not leased all declared addresses read its files again.

    After any client has declined a declared address, dnsmasq withholds the address for ten minutes.
    It forgets that when it reads its files.
    """
    for book in _books():
        leased = {mac for _, mac, _ in _leases(book.namespace)}
        declared = servers.read_kind(DhcpHost, book.namespace)
        if any(host.name and host.mac not in leased for host in declared):
            processes.signal_to(dhcp_server(book.namespace))
