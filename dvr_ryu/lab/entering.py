"""Finds the hosts and the instances of the lab that is up by name, and runs commands in them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import NoReturn

from dvr_ryu.command import dvr
from dvr_ryu.companion.resources.namespace import instance_of
from dvr_ryu.companion.resources.virtual_machine import FOLDERS, console_socket, folder_of
from dvr_ryu.errors import DvrError
from dvr_ryu.lab import preflight
from dvr_ryu.lab.hosts import bare
from dvr_ryu.lab.hosts.host import LabHost, environment
from dvr_ryu.lab.lifecycle import THE_LAB, running
from dvr_ryu.lab.state import StateFolder
from dvr_ryu.topology.controller import CONTROLLER_VARIABLE
from dvr_ryu.topology.model import instance_namespace


def find(name: str, folder: StateFolder = THE_LAB) -> tuple[LabHost, str | None]:
    """The host `name`, or the host and the namespace of the instance `name`.

    DvrError with all names if the lab has no such host or instance.
    """
    hosts = running(folder).lab_hosts
    if name in hosts:
        return hosts[name], None
    namespace = instance_namespace(name)
    for host in hosts.values():
        if name in instances_of(host):
            return host, namespace
    raise DvrError(f"the lab has no {name}; it has {', '.join(names(folder))}")


def names(folder: StateFolder = THE_LAB) -> list[str]:
    """The names that `find` knows: the hosts of the lab that is up, then its instances."""
    hosts = running(folder).lab_hosts
    return [*hosts, *(instance for host in hosts.values() for instance in instances_of(host))]


def instances_of(host: LabHost) -> list[str]:
    """The names of the instances that are on `host` now; they follow from its namespaces, and from
    the folders of its virtual machines.
    """
    namespaces = (instance_of(entry.name) for entry in host.path("/run/netns").glob("*"))
    machines = (entry.name for entry in host.path(FOLDERS).glob("*"))
    return sorted({*filter(None, namespaces), *machines})


def console(name: str, folder: StateFolder = THE_LAB) -> int:
    """Join this terminal to the console of a virtual machine; return an exit code at its end.

    DvrError if the lab has no such instance, or if it is no virtual machine; HostError if another
    terminal is at its console.
    """
    from dvr_ryu.lab.guests import terminal

    preflight.require_root()
    host, namespace = find(name, folder)
    socket = host.path(console_socket(name))
    if namespace is None or not host.path(folder_of(name)).exists():
        raise DvrError(
            f"{name} has no console, for it is no virtual machine:"
            f" type sudo {dvr(f'lab exec {name} -- bash')}"
        )
    return terminal.join(name, socket)


def execute(name: str, command: Sequence[str], folder: StateFolder = THE_LAB) -> NoReturn:
    """Replace this process by `command` in the host or the instance `name`, on this terminal."""
    preflight.require_root()
    host, namespace = find(name, folder)
    argv = host.enter(command, namespace)
    address = running(folder).addresses[bare.CONTROLLER]
    controller = {CONTROLLER_VARIABLE: f"tcp:{address}:{bare.OPENFLOW_PORT}"}
    os.execvpe(argv[0], argv, environment(controller))
