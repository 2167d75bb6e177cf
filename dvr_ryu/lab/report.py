"""Reads the parts that a lab has now: hosts, bridges, namespaces, instances, logs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from attrs import frozen
from rich.console import Group, RenderableType
from rich.text import Text

from dvr_ryu.companion.desired.owners import namespace_owners
from dvr_ryu.errors import DvrError, printable
from dvr_ryu.lab import preflight
from dvr_ryu.lab.entering import instances_of
from dvr_ryu.lab.hosts.bare import CONTROLLER, UNDERLAY
from dvr_ryu.lab.hosts.cabling import NIC
from dvr_ryu.lab.hosts.host import LabHost
from dvr_ryu.lab.hosts.openvswitch import PHYSICAL_BRIDGE
from dvr_ryu.lab.lifecycle import THE_LAB, running
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.tables import table
from dvr_ryu.topology.loading import parse_topology
from dvr_ryu.topology.model import instance_namespace


@frozen
class NamespaceReport:
    """A network namespace of a lab host, and its owner: "router r1"; empty if it is foreign."""

    name: str
    owner: str


@frozen
class HostReport:
    """A lab host. `pid` is that of its first process, in the machine's pid namespace."""

    name: str
    address: str
    pid: int
    bridges: tuple[str, ...]
    namespaces: tuple[NamespaceReport, ...]


@frozen
class InstanceReport:
    """An instance, and the addresses that it has now, on all of its NICs."""

    name: str
    host: str
    addresses: tuple[str, ...]


@frozen
class LabReport:
    """A whole lab."""

    topology: str
    started: str
    page: str
    """The URL of the controller's page on this machine."""
    hosts: tuple[HostReport, ...]
    instances: tuple[InstanceReport, ...]
    logs: tuple[Path, ...]


def show(folder: StateFolder = THE_LAB) -> LabReport:
    """Read the parts of the lab that is up; HostError if none is up."""
    preflight.require_root()
    state = running(folder)
    owners: dict[str, str] = {}
    with suppress(FileNotFoundError, DvrError):  # a report without owners is still useful
        owners = namespace_owners(parse_topology(folder.remembered(), state.topology))
    hosts = list(state.lab_hosts.values())
    with ThreadPoolExecutor() as pool:
        host_reports = tuple(pool.map(lambda host: _report_of(host, owners), hosts))
        found = [(host, name) for host in hosts for name in instances_of(host)]
        instances = tuple(pool.map(lambda each: _instance_report_of(*each), found))
    return LabReport(
        state.topology, state.started, state.page, host_reports, instances, tuple(folder.logs)
    )


def _report_of(host: LabHost, owners: Mapping[str, str]) -> HostReport:
    names = sorted(entry.name for entry in host.path("/run/netns").glob("*"))
    namespaces = tuple(NamespaceReport(name, owners.get(name, "")) for name in names)
    bridges: tuple[str, ...] = ()
    if host.name not in (CONTROLLER, UNDERLAY):
        bridges = tuple(host.run(["ovs-vsctl", "list-br"]).stdout.split())
    device = PHYSICAL_BRIDGE if PHYSICAL_BRIDGE in bridges else NIC
    address = next(iter(_addresses(host, ["dev", device])), "")
    return HostReport(host.name, address, host.init.pid, bridges, namespaces)


def _instance_report_of(host: LabHost, name: str) -> InstanceReport:
    addresses = _addresses(host, ["scope", "global"], instance_namespace(name))
    return InstanceReport(name, host.name, addresses)


def _addresses(host: LabHost, which: list[str], namespace: str | None = None) -> tuple[str, ...]:
    """The IPv4 addresses that `ip` shows, with their lengths."""
    command = ["ip", "-4", "-brief", "address", "show", *which]
    shown = host.run(command, namespace=namespace, check=False).stdout
    return tuple(re.findall(r"\d+(?:\.\d+){3}/\d+", shown))


def render(report: LabReport) -> RenderableType:
    """Tables of a lab for people: hosts, instances, namespaces and logs."""
    hosts = table(
        ("host", "underlay address", "pid", "bridges"),
        ((each.name, each.address, str(each.pid), " ".join(each.bridges)) for each in report.hosts),
    )
    instances = table(
        ("instance", "host", "addresses"),
        ((each.name, each.host, " ".join(each.addresses)) for each in report.instances),
    )
    namespaces = table(
        ("namespace", "host", "of"),
        ((each.name, host.name, each.owner) for host in report.hosts for each in host.namespaces),
    )
    logs = table(("log",), ((str(log),) for log in report.logs))
    title = f"{printable(report.topology)}, up since {report.started}; page at {report.page}\n"
    return Group(Text(title), hosts, "", instances, "", namespaces, "", logs)
