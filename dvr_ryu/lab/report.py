"""What a lab is made of, as it is now: hosts, bridges, namespaces, instances, logs. Only reads."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from attrs import frozen
from rich.console import Group, RenderableType
from rich.table import Table

from dvr_ryu.lab import preflight
from dvr_ryu.lab.bare import CONTROLLER, WIRE
from dvr_ryu.lab.host import LabHost
from dvr_ryu.lab.lifecycle import THE_LAB, instances_of, running
from dvr_ryu.lab.openvswitch import PHYSICAL_BRIDGE
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.lab.wire import NIC
from dvr_ryu.topology.model import instance_namespace


@frozen
class HostReport:
    """A lab host. `pid` is its first process's, as the machine sees it."""

    name: str
    address: str
    pid: int
    bridges: tuple[str, ...]
    namespaces: tuple[str, ...]


@frozen
class InstanceReport:
    """An instance, and the addresses that it has now, on all of its cards."""

    name: str
    host: str
    addresses: tuple[str, ...]


@frozen
class LabReport:
    """A whole lab."""

    topology: str
    started: str
    hosts: tuple[HostReport, ...]
    instances: tuple[InstanceReport, ...]
    logs: tuple[Path, ...]


def show(folder: StateFolder = THE_LAB) -> LabReport:
    """Read what the lab that is up is made of; HostError if none is."""
    preflight.require_root("lab show")
    state = running(folder)
    hosts = list(state.lab_hosts.values())
    with ThreadPoolExecutor() as pool:
        host_reports = tuple(pool.map(_report_of, hosts))
        found = [(host, name) for host in hosts for name in instances_of(host)]
        instances = tuple(pool.map(lambda place: _instance_report_of(*place), found))
    return LabReport(state.topology, state.started, host_reports, instances, tuple(folder.logs))


def _report_of(host: LabHost) -> HostReport:
    names = tuple(sorted(entry.name for entry in host.path("/run/netns").glob("*")))
    bridges: tuple[str, ...] = ()
    if host.name not in (CONTROLLER, WIRE):
        bridges = tuple(host.run(["ovs-vsctl", "list-br"]).stdout.split())
    device = PHYSICAL_BRIDGE if PHYSICAL_BRIDGE in bridges else NIC
    address = next(iter(_addresses(host, ["dev", device])), "")
    return HostReport(host.name, address, host.init.pid, bridges, names)


def _instance_report_of(host: LabHost, name: str) -> InstanceReport:
    addresses = _addresses(host, ["scope", "global"], instance_namespace(name))
    return InstanceReport(name, host.name, addresses)


def _addresses(host: LabHost, which: list[str], namespace: str | None = None) -> tuple[str, ...]:
    """The IPv4 addresses that `ip` shows, with their lengths."""
    words = ["ip", "-4", "-brief", "address", "show", *which]
    shown = host.run(words, namespace=namespace, check=False).stdout
    return tuple(re.findall(r"\d+(?:\.\d+){3}/\d+", shown))


def render(report: LabReport) -> RenderableType:
    """Tables of a lab for a terminal: hosts, what is on them, and where the logs are."""
    hosts = _table("host", "underlay address", "pid", "bridges")
    namespaces = _table("namespace", "host")
    for host in report.hosts:
        hosts.add_row(host.name, host.address, str(host.pid), " ".join(host.bridges))
        for namespace in host.namespaces:
            namespaces.add_row(namespace, host.name)
    instances = _table("instance", "host", "addresses")
    for instance in report.instances:
        instances.add_row(instance.name, instance.host, " ".join(instance.addresses))
    title = f"{report.topology}, up since {report.started}\n"
    logs = _table("log")
    for log in report.logs:
        logs.add_row(str(log))
    return Group(title, hosts, "", instances, "", namespaces, "", logs)


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table
