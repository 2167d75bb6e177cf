"""The DHCP leases of this machine, if it is a host, and of the lab that is up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from rich.table import Table

from dvr_ryu.companion.providers.dnsmasq import leases
from dvr_ryu.companion.providers.dnsmasq.leases import Lease
from dvr_ryu.lab import preflight
from dvr_ryu.lab.lifecycle import THE_LAB, running
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.tables import table


def shown(folder: StateFolder = THE_LAB, root: Path = Path("/")) -> list[Lease]:
    """Return all leases, by network and address.

    With DHCP on every host, a moved instance has a lease on each host that served it. Only the
    youngest counts.
    """
    youngest: dict[tuple[str, str], Lease] = {}
    for lease in sorted(_all(folder, root), key=lambda lease: lease.expires):
        youngest[lease.network, lease.mac] = lease
    return sorted(youngest.values(), key=lambda lease: (lease.network, _bytes(lease.ip)))


def _all(folder: StateFolder, root: Path) -> Iterator[Lease]:
    yield from leases.listed(root)
    if folder.path.exists():
        preflight.require_root()
        if folder.read() is not None:  # a lab host has such a folder, and no lab
            for host in running(folder).lab_hosts.values():
                yield from leases.listed(host.path("/"))


def _bytes(ip: str) -> tuple[int, ...]:
    return tuple(map(int, ip.split(".")))


def render(found: Iterable[Lease]) -> Table:
    """The leases as a table for people."""
    return table(("network", "host", "MAC", "address", "instance", "expires"), map(_row, found))


def _row(lease: Lease) -> tuple[str, ...]:
    when = str(datetime.fromtimestamp(lease.expires)) if lease.expires else "never"
    return lease.network, lease.host, lease.mac, lease.ip, lease.instance or "(dynamic)", when
