"""Asks the host that this process runs on: of a way over several hosts, its own part."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

from dvr_ryu.command import as_typed
from dvr_ryu.companion.providers.kernel.rights import is_root
from dvr_ryu.companion.resources.namespace import ROOT
from dvr_ryu.errors import HostError
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.live.asking import Answer, Ask


def asker(topology: Topology) -> Ask:
    """The way to ask this host. HostError without root, or if this machine is no host of the
    topology.
    """
    if not is_root():
        raise HostError(
            f"--live asks switches and namespaces, which needs root: type sudo {as_typed()}"
        )
    here = _name(topology)

    def ask(host: str, namespace: str, command: Sequence[str]) -> Answer | None:
        return _run(namespace, command) if host == here else None

    return ask


def _name(topology: Topology) -> str:
    """The host whose underlay address this machine has."""
    links = json.loads(_run(ROOT, ["ip", "-j", "-4", "address", "show"]).output or "[]")
    own = {each["local"] for link in links for each in link.get("addr_info", ())}
    for host in topology.hosts.values():
        if host.address in own:
            return host.name
    raise HostError(
        "--live asks a running lab of this topology, or the host that it is typed on; no lab of it"
        " is up, and this machine has no host's address"
    )


def _run(namespace: str, command: Sequence[str]) -> Answer:
    entered = command if namespace == ROOT else ["ip", "netns", "exec", namespace, *command]
    try:
        done = subprocess.run(entered, capture_output=True, text=True, errors="replace")
    except FileNotFoundError as error:
        raise HostError(f"this host has no {error.filename}; --live needs it") from None
    return Answer(done.stdout, done.stderr, bool(done.returncode))
