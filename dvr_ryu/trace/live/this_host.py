"""Asks the host that this process runs on: of a way over several hosts, its own part."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from dvr_ryu.command import as_typed
from dvr_ryu.companion.providers.kernel.rights import is_root
from dvr_ryu.companion.resources.namespace import ROOT, instance_of
from dvr_ryu.errors import HostError
from dvr_ryu.topology.topology import Topology
from dvr_ryu.trace.live.asking import Answer, Ask, Unanswered

NETNS = "/run/netns"
PATIENCE = 60.0
"""Seconds that one answer may take: a switch may hang."""


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
        if host != here or (instance_of(namespace) and not Path(NETNS, namespace).exists()):
            return None  # another host, or a guest that is no namespace
        return run(namespace, command)

    return ask


def _name(topology: Topology) -> str:
    """The host whose underlay address this machine has."""
    links = json.loads(run(ROOT, ["ip", "-j", "-4", "address", "show"]).output or "[]")
    own = {each["local"] for link in links for each in link.get("addr_info", ())}
    for host in topology.hosts.values():
        if host.address in own:
            return host.name
    raise HostError(
        "--live asks a running lab of this topology, or the host that it is typed on; no lab of it"
        " is up, and this machine has no host's address"
    )


def run(namespace: str, command: Sequence[str], patience: float = PATIENCE) -> Answer:
    """Run a command in a namespace of this host. Raises HostError if the host does not have it, or
    if it takes longer than `patience` seconds.
    """
    entered = command if namespace == ROOT else ["ip", "netns", "exec", namespace, *command]
    try:
        done = subprocess.run(
            entered, capture_output=True, text=True, errors="replace", timeout=patience
        )
    except subprocess.TimeoutExpired:
        raise Unanswered(f"{' '.join(command)} did not end within {patience:g} s") from None
    except FileNotFoundError as error:
        raise HostError(f"this host has no {error.filename}; --live needs it") from None
    return Answer(done.stdout, done.stderr, bool(done.returncode))
