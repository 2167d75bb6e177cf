"""Plan a host's change, apply it, and remove everything again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeAlias

from dvr_ryu.companion import foreign
from dvr_ryu.companion.change import HostChange, change
from dvr_ryu.companion.desired.tls import DEFAULTS, TlsOptions
from dvr_ryu.companion.host import Host, Progress, locked
from dvr_ryu.companion.paths import RUN_DIRECTORY
from dvr_ryu.companion.providers import notes
from dvr_ryu.companion.providers.netlink import namespaces
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.errors import HostError, one_line
from dvr_ryu.topology.view import HostView

__all__ = ["HostChange", "amend", "apply", "down", "plan", "reconcile"]

ROUNDS = 3
"""The number of attempts at a change before the companion gives up on it."""


Report: TypeAlias = "Callable[[str], object]"
"""Called with a line for each foreign thing on this host."""


def _quiet(done: int, total: int) -> None:
    pass


def _unreported(line: str) -> None:
    pass


def plan(
    view: HostView, report: Report = _unreported, options: TlsOptions = DEFAULTS
) -> HostChange:
    """Return what `apply` would change, and change nothing. Raise HostError if the host refuses."""
    with _host(view.host.name, options) as host:
        change = _difference(host, host.desired(view))
        _report_foreign(host, view, report)
        return change


def apply(
    view: HostView,
    on_progress: Progress = _quiet,
    report: Report = _unreported,
    options: TlsOptions = DEFAULTS,
    database: Database | None = None,
) -> HostChange:
    """Apply the topology to the host and return the change, which is empty the second time.

    A `database` that is already loaded is not loaded again; it is closed at the end. Raise
    HostError if the host refuses. The resources made so far stay, and the next run continues from
    there.
    """
    with locked(), _host(view.host.name, options, database) as host:
        change = reconcile(host, host.desired(view), on_progress)
        _report_foreign(host, view, report)
        return change


def _report_foreign(host: Host, view: HostView, report: Report) -> None:
    for line in notes.news():
        report(line)
    for line in foreign.lines(host.foreign, view.topology, view.host.name):
        report(line)
    for line in host.plugged_lines(view):
        report(line)
    for line in foreign.lines_of_rules(host.foreign_rules):
        report(line)


def down(name: str, on_progress: Progress = _quiet) -> HostChange:
    """Remove all that dvr_ryu made for host `name` on this machine, and return it."""
    with locked(), _host(name) as host:
        gone = reconcile(host, (), on_progress)
        namespaces.tidy()
        notes.remove(Path(RUN_DIRECTORY))
        return gone


def reconcile(
    host: Host, desired: tuple[Resource, ...], on_progress: Progress = _quiet
) -> HostChange:
    """Read a host, make its desired resources, and return the change. The caller holds the lock.

    It reads the host again afterwards: a resource may appear only once others hold (a kernel module
    that a chain loads has settings). Raise HostError if a resource does not stay as it was made.
    """
    host.put_back()
    needed = rest = _difference(host, desired)
    for _ in range(ROUNDS):
        if not rest:
            return needed
        host.execute(rest, on_progress)
        rest = _difference(host, desired)
    if rest:
        lines = "\n  ".join(rest.lines())
        raise HostError(f"something on this host undoes what the companion does:\n  {lines}")
    return needed


def amend(host: Host, desired: tuple[Resource, ...], known: tuple[Resource, ...]) -> HostChange:
    """Make the desired resources on a host where `known` holds, and return the change.

    The host is not read, because that takes longer the more it has. The caller holds the lock, and
    reads the host soon. Raise HostError if a resource is not as `known` has it.
    """
    needed = change(desired, known)
    host.execute(needed, _quiet)
    return needed


def _difference(host: Host, desired: tuple[Resource, ...]) -> HostChange:
    return change(desired, host.read(desired))


@contextmanager
def _host(
    name: str, options: TlsOptions = DEFAULTS, database: Database | None = None
) -> Iterator[Host]:
    with closing(database or Database()) as opened:
        host = Host(name, opened, options)
        try:
            yield host
        except OSError as error:
            raise HostError(one_line(error)) from error
