"""Check whether this machine can be a host, without making anything.

Each file checks one side of the machine and yields findings. Only the modules that the kernel loads
during the trials remain afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress

from dvr_ryu.companion.check import (
    access,
    credentials,
    kernel,
    neighbour_table,
    neighbours,
    programs,
    rights,
    site,
    switch,
)
from dvr_ryu.companion.check.finding import Finding, Verdict
from dvr_ryu.companion.desired import desired_resources
from dvr_ryu.companion.desired.bridges import datapath_of
from dvr_ryu.companion.desired.tls import DEFAULTS, TlsOptions
from dvr_ryu.companion.providers.ovs_appctl.vswitchd import available_datapath
from dvr_ryu.companion.providers.ovsdb.bridges import Ovsdb
from dvr_ryu.companion.providers.ovsdb.database import Database
from dvr_ryu.errors import HostError
from dvr_ryu.topology.bridges import BRIDGES
from dvr_ryu.topology.view import HostView


def findings(view: HostView | None, options: TlsOptions = DEFAULTS) -> Iterator[Finding]:
    """Yield the findings; with the view of a host, also whether this machine can be that one."""
    with closing(Database()) as database:
        datapath = _datapath(database)
        desired = desired_resources(view, datapath, options=options) if view else None
        yield from rights.findings()
        yield from programs.findings(desired)
        yield from kernel.findings(view, datapath)
        yield from switch.findings(datapath, database)
        yield from switch.failures(database)
        yield from programs.in_the_way()
        if view and desired:
            yield from credentials.findings(view, options)
            yield from site.findings(view, datapath, database, options)
            yield from access.findings(view)
            yield from neighbour_table.findings(view)
            yield from neighbours.findings(view, desired, database)


def unnoticed(
    view: HostView, database: Database, options: TlsOptions = DEFAULTS
) -> Iterator[Finding]:
    """Yield the faults that affect packets on a host but do not stop `apply`. It raises for its own
    needs.
    """
    datapath = _datapath(database)
    sides = (
        switch.findings(datapath, database),
        credentials.findings(view, options),
        site.findings(view, datapath, database, options),
    )
    for side in sides:
        yield from (each for each in side if each.verdict is not Verdict.PASS)


def _datapath(database: Database) -> str:
    """The datapath that `apply` would take; where OVSDB does not answer, the available one."""
    available = available_datapath()
    with suppress(HostError):
        return datapath_of(Ovsdb("", database).present(BRIDGES), available)
    return available
