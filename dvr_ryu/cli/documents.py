"""Makes the JSON documents of the commands that list something. Pure: values in, plain data out.

Their keys are stable: `docs/json.rst` describes all of them, and a test compares.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from typing import Any

from dvr_ryu.companion.change import HostChange
from dvr_ryu.companion.check.finding import Finding, Verdict
from dvr_ryu.companion.guest_commands import GuestPort
from dvr_ryu.companion.providers.dnsmasq.leases import Lease
from dvr_ryu.companion.resources.resource import Resource
from dvr_ryu.errors import DvrError, FileError, Problem
from dvr_ryu.lab.proof.proof import Result
from dvr_ryu.lab.report import HostReport, LabReport
from dvr_ryu.topology.model import PLUGGED
from dvr_ryu.topology.topology import Topology

Document = dict[str, Any]


def of_check(found: DvrError | Sequence[Problem]) -> Document:
    """The findings of `dvr check`: the reason why a file is refused, or the warnings."""
    if isinstance(found, FileError):
        found = found.problems
    if isinstance(found, DvrError):
        message, _, hint = str(found).partition("; ")
        location = {"file": None, "line": None, "column": None}
        return {"problems": [{**location, "severity": "error", "message": message, "hint": hint}]}
    return {"problems": [_problem(each) for each in found]}


def _problem(problem: Problem) -> Document:
    message, _, hint = problem.message.partition("; ")
    return {
        "file": problem.location.file,
        "line": problem.location.line,
        "column": problem.location.column,
        "severity": "warning" if problem.warning else "error",
        "message": message,
        "hint": hint,
    }


def of_hosts(topology: Topology) -> Document:
    """The hosts of a topology."""
    return {
        "hosts": [
            {"name": each.name, "address": each.address, "dvr_mac": each.dvr_mac}
            for each in topology.hosts.values()
        ]
    }


def of_findings(found: Sequence[Finding]) -> Document:
    """The findings of `dvr companion check`."""
    return {
        "ready": all(each.verdict is not Verdict.FAIL for each in found),
        "findings": [
            {
                "what": each.what,
                "verdict": each.verdict.name,
                "seen": each.seen,
                "advice": each.advice,
            }
            for each in found
        ],
    }


def of_change(host: str, change: HostChange) -> Document:
    """The changes that `dvr companion plan` prints for a host."""
    return {"host": host, "changes": [*_changes(change)]}


def _changes(change: HostChange) -> Iterator[Document]:
    kinds: tuple[tuple[str, Iterable[Resource]], ...] = (
        ("remove", change.removed),
        ("change", (both.new for both in change.changed)),
        ("add", change.added),
    )
    for action, resources in kinds:
        for resource in resources:
            yield {"action": action, "kind": resource.kind, "command": resource.describe()}


def of_lab(report: LabReport) -> Document:
    """The parts of a lab."""
    return {
        "topology": report.topology,
        "started": report.started,
        "page": report.page,
        "hosts": [_host(each) for each in report.hosts],
        "instances": [
            {"name": each.name, "host": each.host, "addresses": list(each.addresses)}
            for each in report.instances
        ],
        "logs": [str(log) for log in report.logs],
    }


def _host(host: HostReport) -> Document:
    return {
        "name": host.name,
        "address": host.address,
        "pid": host.pid,
        "bridges": list(host.bridges),
        "namespaces": [{"name": each.name, "of": each.owner} for each in host.namespaces],
    }


def of_results(results: Sequence[Result]) -> Document:
    """The results of `dvr lab test`."""
    return {
        "passed": all(each.passed for each in results),
        "checks": [
            {
                "what": each.what,
                "from": each.source,
                "to": each.target,
                "verdict": each.verdict,
                "seen": each.detail,
            }
            for each in results
        ],
    }


def of_port(guest: GuestPort) -> Document:
    """An instance's port, and the commands that plug a guest in for it."""
    port = guest.port
    plugged = port.guest == PLUGGED
    return {
        "instance": port.name,
        "nic": port.card,
        "guest": port.guest,
        "host": guest.host,
        "network": port.network,
        "id": port.id,
        "mac": port.mac,
        "tap": port.device,
        "addresses": guest.addresses,
        "gateway": guest.gateway,
        "mtu": guest.mtu,
        "ofport": port.ofport,
        "tags": [{"host": host, "tag": tag} for host, tag in guest.tags.items()],
        "libvirt": guest.libvirt() if plugged else None,
        "qemu": [*guest.qemu()] if plugged else [],
        "ip_netns": [*guest.ip_netns()] if plugged else [],
        "podman": [*guest.podman()] if plugged else [],
    }


def of_leases(leases: Iterable[Lease]) -> Document:
    """The leases; `expires` is UTC in ISO 8601."""
    return {
        "leases": [
            {
                "network": each.network,
                "host": each.host,
                "mac": each.mac,
                "address": each.ip,
                "instance": each.instance or None,
                "expires": _time(each.expires),
            }
            for each in leases
        ]
    }


def _time(seconds: int) -> str | None:
    """The time in ISO 8601; None for a lease that never ends."""
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, timezone.utc).isoformat().replace("+00:00", "Z")
