"""What DHCP servers have leased: read from their files; taken out, where it is another's now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from dvr_ryu.companion.edges import dhcp, processes
from dvr_ryu.companion.edges.files import below, replace
from dvr_ryu.companion.edges.namespaces import by_place
from dvr_ryu.companion.facts.common import as_integer
from dvr_ryu.companion.facts.dnsmasq import (
    DHCP_DIRECTORY,
    DhcpHost,
    LeaseBook,
    StaleLease,
    book_file,
    dhcp_server,
    leases_file,
)
from dvr_ryu.companion.facts.kinds import Process


class Lease(NamedTuple):
    """Who has an address until when, in seconds since 1970."""

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
        names = {host.mac: host.name for host in dhcp.read_kind(DhcpHost, book.namespace, root)}
        for expires, mac, ip in _leases(book.namespace, root):
            yield Lease(book.host, book.network, mac, ip, names.get(mac, ""), expires)


def _books(root: Path = Path("/")) -> Iterator[LeaseBook]:
    """Yield the notes beside leases; an empty one where a killed companion wrote none."""
    folder = below(root, DHCP_DIRECTORY)
    files = [*folder.glob("*.book"), *folder.glob("*.leases")]
    for namespace in sorted({path.stem for path in files}):
        try:
            text = below(root, book_file(namespace)).read_text()
        except FileNotFoundError:
            yield LeaseBook(namespace, "", "", ())
        else:
            yield LeaseBook.of_text(namespace, text)


def _leases(namespace: str, root: Path = Path("/")) -> Iterator[tuple[int, str, str]]:
    """Yield the lines of dnsmasq's file: until when, MAC and address; the client's name and id
    follow, unless the line is just being written.
    """
    path = below(root, leases_file(namespace))
    if path.exists():
        for line in path.read_text().splitlines():
            expires, mac, ip, *its_own = [*line.split(), "", ""]
            if len(its_own) == 4:
                yield int(expires), mac, ip


# Facts --------------------------------------------------------------------------------------------


def read(running: Mapping[str, Process]) -> Iterator[LeaseBook | StaleLease]:
    """Yield the books that there are, and what should not stand in them; `running` by name."""
    for book in _books():
        yield book
        told = list(dhcp.read_kind(DhcpHost, book.namespace))
        by_mac = {host.mac: host.ip for host in told}
        declared = {host.ip for host in told}
        for _, mac, ip in _leases(book.namespace):
            if by_mac.get(mac) == ip:
                continue
            if mac in by_mac or ip in declared or not _is_within(ip, book.ranges):
                server = running.get(dhcp_server(book.namespace))
                yield StaleLease(book.namespace, mac, ip, server)


def _is_within(ip: str, ranges: Iterable[tuple[str, str]]) -> bool:
    number = as_integer(ip)
    return any(as_integer(first) <= number <= as_integer(last) for first, last in ranges)


def make_books(facts: Sequence[LeaseBook]) -> None:
    """Write notes."""
    Path(DHCP_DIRECTORY).mkdir(parents=True, exist_ok=True)
    for fact in facts:
        replace(Path(book_file(fact.namespace)), f"{fact.text}\n")


def unmake_books(facts: Sequence[LeaseBook]) -> None:
    """Forget leases, and whose they were."""
    for fact in facts:
        Path(leases_file(fact.namespace)).unlink(missing_ok=True)
        Path(book_file(fact.namespace)).unlink(missing_ok=True)


def make_stale(facts: Sequence[StaleLease]) -> None:
    """Nobody wants one."""
    raise AssertionError(facts)


def unmake_stale(facts: Sequence[StaleLease]) -> None:
    """Take leases out while their servers do not run."""
    for namespace, stale in by_place(facts):
        servers = [stale[0].server] if stale[0].server else []
        processes.unmake(servers)
        # One whose namespace was removed is made anew, where it belongs, as a fact of its own.
        servers = [server for server in servers if server.namespace == namespace]
        path = Path(leases_file(namespace))
        wrong = {(fact.mac, fact.ip) for fact in stale}
        lines = path.read_text().splitlines(keepends=True)
        replace(path, "".join(line for line in lines if tuple(line.split()[1:3]) not in wrong))
        processes.make(servers)
