"""Whom each DHCP server serves: its hosts file, and telling it that the file has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dvr_ryu.companion.edges.files import replace
from dvr_ryu.companion.edges.namespaces import by_place
from dvr_ryu.companion.edges.processes import tell
from dvr_ryu.companion.facts.kinds import RUN_DIRECTORY, DhcpHost, dhcp_server, hosts_file

FILES = Path(RUN_DIRECTORY, "dhcp")
TOLD = ".told"
"""Ends the name of a copy of the hosts file, made once the server has been told to read that: what
the copy says is so, even if the companion was killed between the two."""


def read() -> Iterator[DhcpHost]:
    """Yield whom the servers serve."""
    if FILES.is_dir():
        for path in sorted(FILES.glob(f"*.hosts{TOLD}")):
            yield from _read(path.name.removesuffix(f".hosts{TOLD}"))


def _read(namespace: str) -> Iterator[DhcpHost]:
    path = Path(hosts_file(namespace) + TOLD)
    if path.exists():
        for line in path.read_text().splitlines():
            yield DhcpHost(namespace, *line.split(","))


def make(facts: Sequence[DhcpHost]) -> None:
    """Add hosts to their networks' files, or change them."""
    _edit(facts, lambda hosts, fact: hosts.update({fact.mac: fact}))


def unmake(facts: Sequence[DhcpHost]) -> None:
    """Take hosts out of their networks' files."""
    _edit(facts, lambda hosts, fact: hosts.pop(fact.mac, None))


def _edit(
    facts: Sequence[DhcpHost], edit: Callable[[dict[str, DhcpHost], DhcpHost], object]
) -> None:
    FILES.mkdir(parents=True, exist_ok=True)
    for namespace, group in by_place(facts):
        hosts = {fact.mac: fact for fact in _read(namespace)}
        for fact in group:
            edit(hosts, fact)
        _write(namespace, hosts)


def _write(namespace: str, hosts: dict[str, DhcpHost]) -> None:
    text = "".join(f"{host.mac},{host.ip},{host.name}\n" for host in hosts.values())
    path, told = Path(hosts_file(namespace)), Path(hosts_file(namespace) + TOLD)
    if not hosts:
        path.unlink(missing_ok=True)
        told.unlink(missing_ok=True)
        return
    replace(path, text)
    tell(dhcp_server(namespace))
    replace(told, text)
